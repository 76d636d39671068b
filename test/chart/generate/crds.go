package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// crdHead opens the metadata of a CRD in the chart.
const crdHead = `  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    {{- with merge (dict) .Values.crds.annotations .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
`

// crds makes a template of each CRD. They are no files of the folder crds, which Helm
// never upgrades.
func (g generator) crds() error {
	files, err := filepath.Glob(filepath.Join(g.config, "crd", "embargo.dev_*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no CRDs in %s: %w", g.config, err)
	}
	if err := os.RemoveAll(filepath.Join(g.chart, "templates", "crds")); err != nil {
		return err
	}
	for _, file := range files {
		name := filepath.Base(file)
		content, err := g.read("crd", name)
		if err != nil {
			return err
		}
		content = strings.TrimPrefix(escape(content), "---\n")
		head, rest, ok := strings.Cut(content, "  annotations:\n")
		annotation, rest, ok2 := strings.Cut(rest, "\n")
		if !ok || !ok2 || !strings.HasPrefix(annotation, "    controller-gen") {
			return fmt.Errorf("%s doesn't begin as controller-gen writes it", name)
		}
		labels := "  labels:\n    {{- include \"embargo.labels\" . | nindent 4 }}\n"
		content = "{{- if .Values.crds.enabled }}\n" + head + crdHead + annotation + "\n" + labels + rest + "{{- end }}\n"
		if err := g.write(content, "templates", "crds", strings.TrimPrefix(name, "embargo.dev_")); err != nil {
			return err
		}
	}
	return nil
}

// escape keeps Helm from reading a text as a template.
func escape(text string) string { return strings.ReplaceAll(text, "{{", `{{ "{{" }}`) }
