package certificates

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// scoped is a manager for the rotation of certificates, which would watch all Secrets of
// the namespace: those of releases and of registries too. It is given the one. Rotation also
// ends the whole process where that Secret is missing when it starts; here it waits.
type scoped struct {
	ctrl.Manager

	config *rest.Config
}

func scope(mgr ctrl.Manager, secret types.NamespacedName) ctrl.Manager {
	config := rest.CopyConfig(mgr.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &selector{next, secret} })
	return &scoped{mgr, config}
}

// GetConfig returns the configuration of clients that see one Secret.
func (s *scoped) GetConfig() *rest.Config { return s.config }

// Add adds a runnable to the manager.
func (s *scoped) Add(runnable manager.Runnable) error {
	if r, ok := runnable.(*rotator.CertRotator); ok {
		runnable = &rotation{r}
	}
	return s.Manager.Add(runnable)
}

// rotation waits for the Secret before it rotates.
type rotation struct{ *rotator.CertRotator }

const retryAfter = 2 * time.Second

// Start rotates certificates until the context ends.
func (r *rotation) Start(ctx context.Context) error {
	for {
		err := r.CertRotator.Start(ctx)
		if !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryAfter):
		}
	}
}

// selector narrows lists and watches of Secrets to the one, so that a right to that one
// is enough.
type selector struct {
	next   http.RoundTripper
	secret types.NamespacedName
}

func (s *selector) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/api/v1/namespaces/"+s.secret.Namespace+"/secrets") {
		request = request.Clone(request.Context())
		query := request.URL.Query()
		query.Set("fieldSelector", "metadata.name="+s.secret.Name)
		request.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(request)
}
