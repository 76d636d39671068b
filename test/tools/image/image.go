package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// assemble makes the image of a stage for an architecture. It is the same, byte for byte,
// for the same files and time.
func assemble(s *stage, arch string, files map[string]string, created time.Time) (v1.Image, error) {
	layer, err := layerOf(s.files, files, created)
	if err != nil {
		return nil, err
	}
	image, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer:   layer,
		History: v1.History{CreatedBy: "the last stage of the Dockerfile", Created: v1.Time{Time: created}},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Created = v1.Time{Time: created}
	config.Config = v1.Config{User: s.user, Entrypoint: s.entrypoint, Labels: s.labels, WorkingDir: "/"}
	return mutate.ConfigFile(image, config)
}

// layerOf packs files, with the folders above them, in order and with one time.
func layerOf(targets, files map[string]string, created time.Time) (v1.Layer, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, dir := range folders(targets) {
		if err := archive.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: created}); err != nil {
			return nil, err
		}
	}
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		local, ok := files[targets[target]]
		if !ok {
			return nil, fmt.Errorf("COPY %s: it is none of the files that are known here", targets[target])
		}
		content, err := os.ReadFile(local)
		if err != nil {
			return nil, err
		}
		mode := int64(0o644)
		if strings.Count(target, "/") == 1 {
			mode = 0o755 // the program
		}
		if err := archive.WriteHeader(&tar.Header{Name: target[1:], Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content)), ModTime: created}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(content); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil })
}

func folders(targets map[string]string) []string {
	all := map[string]bool{}
	for target := range targets {
		for dir := path.Dir(target); dir != "/"; dir = path.Dir(dir) {
			all[dir[1:]] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
