package controlplane

import (
	"context"
	"fmt"
	"strings"

	"embargo.dev/test/program"
)

// build builds a program from its Go module into the target, which appears only
// when it is whole.
func (l *locator) build(ctx context.Context, name, target string) error {
	major, minor, _ := strings.Cut(strings.TrimPrefix(KubernetesVersion, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	const stamp = "-X k8s.io/component-base/version."
	source := program.Source{
		Name: name, Module: "kubernetes", Package: "k8s.io/kubernetes/cmd/" + name,
		LDFlags: stamp + "gitVersion=" + KubernetesVersion + " " + stamp + "gitMajor=" + major + " " + stamp + "gitMinor=" + minor,
	}
	if name == etcd {
		source.Module, source.Package = "etcd", "go.etcd.io/etcd/server/v3"
	}
	fmt.Fprintf(l.progress, "building %s from its Go module (all of them take about ten minutes the first time)\n", name)
	return source.Build(ctx, l.root, target, l.progress)
}
