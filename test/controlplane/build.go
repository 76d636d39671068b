package controlplane

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"embargo.dev/test/program"
)

// build builds a program from its Go module into the target, which appears only
// when it is whole.
func (l *locator) build(ctx context.Context, name, target string) error {
	source := program.Source{Name: name, Module: filepath.Join(l.root, "test", "tools", "etcd"), Package: "go.etcd.io/etcd/server/v3"}
	if name != etcd {
		module, err := l.toolModule(ctx)
		if err != nil {
			return err
		}
		source = program.Source{Name: name, Module: module, Package: "k8s.io/kubernetes/cmd/" + name, LDFlags: stamp(l.kubernetes)}
	}
	fmt.Fprintf(l.progress, "building %s from its Go module (all of them take about ten minutes the first time)\n", name)
	return source.Build(ctx, target, l.progress)
}

// stamp has the linker write a release into programs, as Kubernetes' own build does.
func stamp(release string) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(release, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	const variable = "-X k8s.io/component-base/version."
	return variable + "gitVersion=" + release + " " + variable + "gitMajor=" + major + " " + variable + "gitMinor=" + minor
}
