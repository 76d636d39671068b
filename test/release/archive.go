package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// file is a file to be packed under its own name, without its folder, its owner and
// its times.
type file struct {
	path string
	mode os.FileMode
}

// writeArchive makes a file and fills it.
func writeArchive(path string, write func(*os.File) error) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}

func writeTar(w io.Writer, files []file, made time.Time) error {
	zipped := gzip.NewWriter(w)
	packed := tar.NewWriter(zipped)
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.Base(f.path), Mode: int64(f.mode), Size: int64(len(content)), ModTime: made, Typeflag: tar.TypeReg}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := packed.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(packed.Close(), zipped.Close())
}

func writeZip(w io.Writer, files []file, made time.Time) error {
	packed := zip.NewWriter(w)
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: filepath.Base(f.path), Method: zip.Deflate, Modified: made}
		header.SetMode(f.mode)
		entry, err := packed.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	return packed.Close()
}

// writeChecksums writes the archives' checksums as sha256sum -c reads them.
func writeChecksums(path string, archives []string) error {
	var lines strings.Builder
	for _, archive := range archives {
		content, err := os.ReadFile(archive)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), filepath.Base(archive))
	}
	return os.WriteFile(path, []byte(lines.String()), 0o644) // to be published
}
