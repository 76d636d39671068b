// Command image makes the controller's image without a daemon and without a registry:
// what the last stage of the Dockerfile says, from a program that Go builds here. It writes an archive for each architecture, which docker load
// and ctr images import take, and all of them as an OCI layout.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// mostBytes is how large a program with its layer may be: nodes pull it in an emergency.
const mostBytes = 60_000_000

type settings struct {
	root, output, image, tag, version, revision string
	archs                                       []string
	created                                     time.Time
}

func main() {
	var s settings
	var archs string
	flag.StringVar(&s.root, "root", ".", "folder of the repository")
	flag.StringVar(&s.output, "output", "dist", "folder to write to")
	flag.StringVar(&s.image, "image", "embargo.dev/embargo", "name of the image")
	flag.StringVar(&s.tag, "tag", "", "its tag; its version, without the v before it, where empty")
	flag.StringVar(&s.version, "version", "dev", "its version")
	flag.StringVar(&s.revision, "revision", "unknown", "commit that it is built from")
	flag.StringVar(&archs, "archs", "amd64,arm64", "architectures")
	flag.Parse()
	s.archs = strings.Split(archs, ",")
	if err := errors.Join(s.readTime(), s.run()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// readTime takes the time of everything in the image from SOURCE_DATE_EPOCH.
func (s *settings) readTime() error {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		epoch = "0"
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	s.created = time.Unix(seconds, 0).UTC()
	return nil
}

func (s *settings) run() error {
	dockerfile, err := os.Open(filepath.Join(s.root, "Dockerfile"))
	if err != nil {
		return err
	}
	defer dockerfile.Close() //nolint:errcheck // read only
	last, err := readStage(dockerfile, map[string]string{"VERSION": s.version, "REVISION": s.revision, "CREATED": s.created.Format(time.RFC3339)})
	if err != nil {
		return fmt.Errorf("reading the Dockerfile: %w", err)
	}
	if err := os.MkdirAll(s.output, 0o755); err != nil {
		return err
	}
	index := mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json")
	for _, arch := range s.archs {
		image, err := s.build(last, arch)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	dir := filepath.Join(s.output, "embargo-image")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if _, err := layout.Write(dir, index); err != nil {
		return err
	}
	digest, err := index.Digest()
	fmt.Println(dir, digest)
	return err
}

func (s *settings) build(last *stage, arch string) (v1.Image, error) {
	binary := filepath.Join(s.output, "embargo-linux-"+arch)
	if err := s.compile(arch, binary); err != nil {
		return nil, err
	}
	image, err := assemble(last, arch, map[string]string{"/embargo": binary}, s.created)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	if info.Size() > mostBytes {
		return nil, fmt.Errorf("the program has %d bytes, more than %d", info.Size(), mostBytes)
	}
	tag, err := name.NewTag(s.image + ":" + strings.ReplaceAll(cmp.Or(s.tag, strings.TrimPrefix(s.version, "v")), "+", "_"))
	if err != nil {
		return nil, err
	}
	archive := filepath.Join(s.output, "embargo-image-"+arch+".tar")
	if err := tarball.WriteToFile(archive, tag, image); err != nil {
		return nil, err
	}
	digest, err := image.Digest()
	fmt.Printf("%s %s %s (%.1f MB)\n", archive, tag, digest, float64(info.Size())/1e6)
	return image, err
}

// compile builds the program as the Dockerfile does.
func (s *settings) compile(arch, target string) error {
	target, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X embargo.dev/cmd/embargo/internal/app.version="+s.version, "-o", target, "./cmd/embargo")
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, output)
	}
	return nil
}
