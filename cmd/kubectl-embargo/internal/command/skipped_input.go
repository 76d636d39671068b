package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/internal/display"
)

// skippedInput is what was given to check but holds no object as it stands.
type skippedInput struct {
	excluded   int      // files and folders
	folders    []string // that need --recursive
	documents  int
	charts     []string // folders of Helm charts
	unrendered []string // charts, and files elsewhere, whose templates could not be read

	kustomizations []string        // files
	told           map[string]bool // errors: a file can be evaluated and be its own baseline
}

// notEntered notes a folder that needs --recursive.
func (g *gathered) notEntered(folder string) {
	if !strings.HasPrefix(filepath.Base(folder), ".") {
		g.folders = append(g.folders, filepath.Clean(folder))
	}
}

// skipped notes what a document holds beside objects.
func (g *gathered) skipped(d *manifest.Document, others int) {
	g.documents++
	if others == 0 {
		return
	}
	if l := d.Lookalike(); l != nil {
		g.unchecked = append(g.unchecked, output.InputError(*l))
		g.notice("%s", output.InputError(*l))
	}
	switch filepath.Base(d.File) {
	case "Chart.yaml":
		if chart := chartOf(d.File); !slices.Contains(g.charts, chart) {
			g.charts = append(g.charts, chart)
		}
	case "kustomization.yaml", "kustomization.yml":
		g.kustomization(d)
	}
}

// isKustomization recognises the files that kustomize reads. They name images but are no
// objects.
func isKustomization(o manifest.Object) bool { return o.Kind().Group == "kustomize.config.k8s.io" }

func (g *gathered) kustomization(d *manifest.Document) {
	if !slices.Contains(g.kustomizations, d.File) {
		g.kustomizations = append(g.kustomizations, d.File)
	}
}

// noteUnrendered says how kustomizations and Helm charts are checked.
func (g *gathered) noteUnrendered() {
	charts := slices.DeleteFunc(slices.Clone(g.charts), func(chart string) bool { return slices.Contains(g.unrendered, chart) })
	g.noteToRender("kustomization", "kubectl kustomize", g.kustomizations, filepath.Dir)
	g.noteToRender("Helm chart", "helm template", charts, filepath.Clean)
}

// noteToRender names what has to be rendered. Large repositories have hundreds, which share
// a notice.
func (g *gathered) noteToRender(kind, command string, paths []string, folder func(string) string) {
	const most = 5
	if n := len(paths); n > most {
		g.notice("%d %ss are checked as they are rendered, such as %s %s | %s check -f -: %s", n, kind, command, folder(paths[0]), g.program, firstOf(paths, most))
		return
	}
	for _, path := range paths {
		g.notice("%s: a %s is checked as it is rendered: %s %s | %s check -f -", path, kind, command, folder(path), g.program)
	}
}

// unreadable reports an input that can't be read. A chart has many templates, and each of
// them many documents that are no YAML before they are rendered: they share one error.
func (g *gathered) unreadable(err *manifest.Error) {
	if !err.Template {
		if text := err.Error(); !g.told[text] {
			g.told[text] = true
			g.broken(err)
		}
		return
	}
	unit := err.File
	chart := chartOf(err.File)
	if chart != "" {
		unit = chart
	}
	if slices.Contains(g.unrendered, unit) {
		return
	}
	g.unrendered = append(g.unrendered, unit)
	if chart != "" {
		g.broken(&manifest.Error{File: chart, Err: fmt.Errorf("a Helm chart is checked as it is rendered: helm template %s | %s check -f -", chart, g.program)})
		return
	}
	g.broken(&manifest.Error{File: err.File, Line: err.Line, Err: fmt.Errorf("this is a template (it has {{ … }}), which has to be rendered before it is checked: %w", err.Err)})
}

// chartOf returns the folder of the Helm chart that a file belongs to, the outermost one
// where charts contain others; "" where there is none.
func chartOf(file string) string {
	if file == manifest.StandardInput || strings.Contains(file, "://") {
		return ""
	}
	folder := filepath.Dir(file)
	for ; !isChart(folder); folder = filepath.Dir(folder) {
		if folder == filepath.Dir(folder) {
			return ""
		}
	}
	for {
		charts := filepath.Dir(folder)
		if parent := filepath.Dir(charts); filepath.Base(charts) != "charts" || !isChart(parent) {
			return folder
		}
		folder = filepath.Dir(charts)
	}
}

func isChart(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, "Chart.yaml"))
	return err == nil && info.Mode().IsRegular()
}

var errNothingRead = errors.New("there is no Kubernetes object in this input; --allow-empty accepts that")

// noteSkipped says what was not read, and that it was all. Where all input was excluded,
// nothing else could be expected.
func (g *gathered) noteSkipped() {
	g.noteUnrendered()
	if len(g.folders) > 0 {
		g.notice("%s not read, -R reads them: %s", display.CountOf(len(g.folders), "folder is", "folders are"), firstOf(g.folders, 5))
	}
	if g.result.Summary.Objects > 0 {
		return
	}
	sources := strings.Join(g.files, ", ")
	allExcluded := g.excluded > 0 && g.documents == 0
	if g.allowEmpty || allExcluded || g.bad || g.unreachable {
		g.notice("there is no Kubernetes object in %s", sources)
		return
	}
	g.broken(&manifest.Error{File: sources, Err: errNothingRead})
}

// firstOf lists some of the names, and how many there are more.
func firstOf(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
