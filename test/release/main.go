// Command release builds the command line for every platform and packs it for people
// to download: the same bytes from the same source, wherever and whenever it runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	r := release{}
	flag.StringVar(&r.version, "version", "", "version that the archives are named after")
	flag.StringVar(&r.ldflags, "ldflags", "", "flags of the linker, which stamp the version")
	flag.StringVar(&r.dir, "output", "dist", "folder for the archives")
	only := flag.String("only", "", "platforms such as linux/amd64, separated by commas; default all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := r.run(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

const (
	program     = "kubectl-embargo"
	source      = "./cmd/kubectl-embargo"
	completions = "cmd/kubectl-embargo/kubectl_complete-embargo"
)

// platform is an operating system and an architecture.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// release is what is built, and whereto.
type release struct {
	version, ldflags, dir string
}

func (r release) run(ctx context.Context, only string) error {
	if r.version == "" {
		return errors.New("want -version")
	}
	made, err := sourceDate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil { // to be published
		return err
	}
	var archives []string
	for _, p := range platforms {
		if only != "" && !strings.Contains(","+only+",", ","+p.String()+",") {
			continue
		}
		archive, err := r.pack(ctx, p, made)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		fmt.Println(archive)
		archives = append(archives, archive)
	}
	return writeChecksums(filepath.Join(r.dir, "checksums.txt"), archives)
}

// sourceDate is the time that files in archives have: by convention that of the
// source, in SOURCE_DATE_EPOCH.
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: want seconds since 1970, such as those of the last commit", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// pack builds for a platform and returns the path of the archive.
func (r release) pack(ctx context.Context, p platform, made time.Time) (string, error) {
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	binary := filepath.Join(dir, binaryName(p))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", r.ldflags, "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go build: %w", err)
	}
	files := []file{{binary, 0o755}, {"LICENSE", 0o644}}
	if p.os == "windows" {
		path := filepath.Join(r.dir, archiveName(r.version, p))
		return path, writeArchive(path, func(w *os.File) error { return writeZip(w, files, made) })
	}
	files = append(files, file{completions, 0o755})
	path := filepath.Join(r.dir, archiveName(r.version, p))
	return path, writeArchive(path, func(w *os.File) error { return writeTar(w, files, made) })
}

func binaryName(p platform) string {
	if p.os == "windows" {
		return program + ".exe"
	}
	return program
}

// archiveName is how people, and krew, find the archive of a version.
func archiveName(version string, p platform) string {
	suffix := ".tar.gz"
	if p.os == "windows" {
		suffix = ".zip"
	}
	return fmt.Sprintf("%s_%s_%s_%s%s", program, version, p.os, p.arch, suffix)
}
