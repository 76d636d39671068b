// Command names gathers real image names from the manifests, charts, Dockerfiles and
// documentation inside the Go modules of public projects. The prefilter chooses its
// tokens by how rarely they stand in these names, and a test measures how many of them
// it lets by.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"embargo.dev/policies/imageref"
	"embargo.dev/test/modules"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

const (
	modulesFile = "test/names/modules.txt"
	namesFile   = "policies/prefilter/names.txt"
	// atMost is how much of a file is read: what is larger is data, not a manifest.
	atMost = 4 << 20
)

func run(ctx context.Context) error {
	list, err := lines(modulesFile)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, module := range list {
		dir, err := modules.Download(ctx, strings.Replace(module, " ", "@", 1))
		if err != nil {
			return err
		}
		before := len(found)
		if err := gather(dir, found); err != nil {
			return fmt.Errorf("%s: %w", module, err)
		}
		fmt.Fprintf(os.Stderr, "%-80s %4d new names\n", module, len(found)-before)
	}
	text := "# Image names in the modules of test/names/modules.txt, without tags. Written by make names.\n" +
		strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	return os.WriteFile(namesFile, []byte(text), 0o644) // a file of the source tree
}

// lines returns the lines of a file that aren't comments.
func lines(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // read only
	var all []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all, scanner.Err()
}

// In manifests and documents an image is the value of a key; in a chart's values often
// a repository; in a Dockerfile what a stage begins from.
var (
	inManifest   = regexp.MustCompile(`(?m)^[\s-]*["']?(?:image|repository|newName)["']?\s*:\s*["']?([^\s"'#,}]+)`)
	inDockerfile = regexp.MustCompile(`(?mi)^FROM\s+(?:--platform=\S+\s+)?(\S+)`)
)

// gather adds the names in a folder.
func gather(dir string, found map[string]bool) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		expression := expressionFor(entry.Name())
		if info, infoErr := entry.Info(); expression == nil || infoErr != nil || info.Size() > atMost {
			return infoErr
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range expression.FindAllStringSubmatch(string(text), -1) {
			if name, ok := nameOf(match[1]); ok {
				found[name] = true
			}
		}
		return nil
	})
}

func expressionFor(file string) *regexp.Regexp {
	switch {
	case slices.Contains([]string{".yaml", ".yml", ".json", ".md", ".tmpl", ".libsonnet"}, filepath.Ext(file)):
		return inManifest
	case strings.HasPrefix(file, "Dockerfile"), strings.HasSuffix(file, ".Dockerfile"):
		return inDockerfile
	default:
		return nil
	}
}

// nameOf returns the name in an image, as it is written but for tag and digest. What is
// a template, a URL or no image is left out.
func nameOf(image string) (string, bool) {
	if _, err := imageref.Parse(image); err != nil || strings.Contains(image, "...") {
		return "", false
	}
	name, _, _ := strings.Cut(image, "@")
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name = name[:at]
	}
	return name, len(name) > 2 && strings.ToLower(name) == name
}
