package certificates

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Files serves the certificate that lies in a folder as tls.crt, tls.key and ca.crt,
// and follows changes of them, as of a mounted Secret.
type Files struct {
	*Server

	Dir string
}

// pollInterval is how often the files are read. Mounted Secrets change by way of
// symbolic links, which file system events tell of unreliably.
const pollInterval = 5 * time.Second

// NewFiles reads the files once, so that a mistake is told at once.
func NewFiles(dir string) (*Files, error) {
	f := &Files{Server: &Server{changeover: changeover}, Dir: dir}
	return f, f.read()
}

// NeedLeaderElection says that every replica serves.
func (f *Files) NeedLeaderElection() bool { return false }

// Start follows the files until the context ends. A change that can't be used is
// logged, and what was in use stays.
func (f *Files) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := f.read(); err != nil {
			logf.FromContext(ctx).Error(err, "certificate files can't be used; the ones before stay in use", "dir", f.Dir)
		}
	}, pollInterval)
	return nil
}

func (f *Files) read() error {
	var content [3][]byte
	for i, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
		data, err := os.ReadFile(filepath.Join(f.Dir, name))
		if err != nil {
			return fmt.Errorf("certificate files: %w", err)
		}
		content[i] = data
	}
	return f.use(content[0], content[1], content[2])
}
