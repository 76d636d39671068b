//go:build linux

package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// pauseProgram is where in the enclosure's folder the program is that does nothing.
const pauseProgram = "pause"

func buildPause(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, pauseProgram), "embargo.dev/test/node/pause")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program of sandboxes: %w\n%s", err, output)
	}
	return nil
}

// PauseImage makes an image of a program that does nothing, under the given name, and
// returns the path of its archive.
func PauseImage(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(Dir(), pauseProgram))
	if err != nil {
		return "", err
	}
	archive := filepath.Join(Dir(), strings.NewReplacer("/", "_", ":", "_").Replace(name)+".tar")
	image, err := imageOf(name, "/pause", content)
	if err != nil {
		return "", err
	}
	return archive, os.WriteFile(archive, image, 0o600)
}

// imageOf returns the archive of an image with one program and nothing else, in the form
// of docker save.
func imageOf(name, path string, content []byte) ([]byte, error) {
	layer, err := archiveOf(entry{strings.TrimPrefix(path, "/"), 0o755, content})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{path}, "User": "65532:65532"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, err
	}
	return archiveOf(entry{"layer.tar", 0o644, layer}, entry{"config.json", 0o644, config}, entry{"manifest.json", 0o644, manifest})
}

type entry struct {
	name    string
	mode    int64
	content []byte
}

func archiveOf(entries ...entry) ([]byte, error) {
	var buffer bytes.Buffer
	files := tar.NewWriter(&buffer)
	for _, e := range entries {
		if err := files.WriteHeader(&tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := files.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
