package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// TestWhatRuntimesSayOfAnImage has statuses as container runtimes write them.
func TestWhatRuntimesSayOfAnImage(t *testing.T) {
	manifest, config := digestOf("a"), digestOf("c")
	digits := strings.TrimPrefix(config, "sha256:")
	for name, test := range map[string]struct {
		image, id string
		want      inventory.Running
	}{
		"containerd":                       {"docker.io/acme/agent:1", "docker.io/acme/agent@" + manifest, inventory.Running{Digest: manifest, Names: []string{"docker.io/acme/agent@" + manifest, "docker.io/acme/agent:1"}}},
		"containerd, image without a tag":  {config, "docker.io/acme/agent@" + manifest, inventory.Running{Digest: manifest, Config: config, Names: []string{"docker.io/acme/agent@" + manifest}}},
		"containerd, imported":             {"docker.io/acme/agent:1", config, inventory.Running{Config: config, Names: []string{"docker.io/acme/agent:1"}}},
		"Docker, pulled":                   {"acme/agent:1", "docker-pullable://acme/agent@" + manifest, inventory.Running{Digest: manifest, Names: []string{"acme/agent@" + manifest, "acme/agent:1"}}},
		"Docker, built on the node":        {"acme/agent:1", "docker://" + config, inventory.Running{Config: config, Names: []string{"acme/agent:1"}}},
		"CRI-O, older":                     {"quay.io/acme/agent:1", "quay.io/acme/agent@" + manifest, inventory.Running{Digest: manifest, Names: []string{"quay.io/acme/agent@" + manifest, "quay.io/acme/agent:1"}}},
		"CRI-O":                            {"quay.io/acme/agent:1", digits, inventory.Running{Config: config, Names: []string{"quay.io/acme/agent:1"}}},
		"CRI-O, ID with an algorithm":      {"quay.io/acme/agent:1", config, inventory.Running{Config: config, Names: []string{"quay.io/acme/agent:1"}}},
		"CRI-O, image without a tag":       {digits, digits, inventory.Running{Config: config}},
		"not pulled yet":                   {"quay.io/acme/agent:1", "", inventory.Running{Names: []string{"quay.io/acme/agent:1"}}},
		"an ID that is cut short":          {"quay.io/acme/agent:1", config[:40], inventory.Running{Names: []string{"quay.io/acme/agent:1"}}},
		"an image with an ID that is long": {config + "00", config, inventory.Running{Config: config}},
		"64 characters that are no digits": {"quay.io/acme/agent:1", strings.Repeat("x", 64), inventory.Running{Names: []string{"quay.io/acme/agent:1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Container = "c"
			got, ok := readStatus(&corev1.ContainerStatus{Name: "c", Image: test.image, ImageID: test.id})
			assert.True(t, ok)
			assert.Equal(t, test.want, got)
		})
	}
	_, ok := readStatus(&corev1.ContainerStatus{Name: "c"})
	assert.False(t, ok)
}

// TestAListedConfigDigestIsFound where the runtime tells it, under whatever name and tag.
func TestAListedConfigDigestIsFound(t *testing.T) {
	const copied = "harbor.example.com/tools/x:1"
	digits := strings.Repeat("a", 64)
	for name, status := range map[string]corev1.ContainerStatus{
		"CRI-O":                           {Name: "c", Image: copied, ImageID: digits},
		"CRI-O, ID with an algorithm":     {Name: "c", Image: copied, ImageID: "sha256:" + digits},
		"Docker, built on the node":       {Name: "c", Image: copied, ImageID: "docker://sha256:" + digits},
		"containerd, imported":            {Name: "c", Image: copied, ImageID: "sha256:" + digits},
		"containerd, image without a tag": {Name: "c", Image: "sha256:" + digits, ImageID: "harbor.example.com/tools/x@" + digestOf("b")},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, later)
			p := pod(about("copy", announced, nil), copied)
			p.Status.ContainerStatuses = []corev1.ContainerStatus{status}
			c.list(p)
			f := c.one()
			assert.Equal(t, policies.EvidenceDigest, f.Evidence)
			assert.Equal(t, v1alpha1.ConfidenceConfirmed, f.Confidence)
			assert.Equal(t, v1alpha1.AdmissionCouldNotSee, f.Admission)
			assert.Equal(t, copied, f.Image)
			assert.Equal(t, copied+"@"+digestOf("a"), f.AlsoNamed)
			if strings.Contains(status.ImageID, "@") {
				assert.Equal(t, []string{digestOf("b")}, f.Digests)
				assert.Empty(t, f.ConfigDigests)
			} else {
				assert.Equal(t, []string{digestOf("a")}, f.Digests)
				assert.Equal(t, f.Digests, f.ConfigDigests)
			}
		})
	}
}

// TestAnotherConfigurationIsNoUpdate: platforms have different ones under one tag.
func TestAnotherConfigurationIsNoUpdate(t *testing.T) {
	c := newCluster(t, later)
	p := pod(about("p", announced, nil), agent)
	run := func(digits string) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", Image: agent, ImageID: strings.Repeat(digits, 64)}}
		c.list(p)
	}
	run("1")
	assert.Equal(t, []string{digestOf("1")}, c.one().ConfigDigests)
	run("2")
	f := c.one()
	assert.Equal(t, []string{digestOf("2")}, f.Digests)
	assert.Empty(t, f.UpdatedFrom)
	assert.Equal(t, policies.UseContinue, f.Use)

	c.list(running(p, "registry.acme.example/agent", digestOf("3")))
	assert.Empty(t, c.one().UpdatedFrom, "nor is the manifest that a runtime tells later")
	c.list(running(p, "registry.acme.example/agent", digestOf("4")))
	assert.Equal(t, digestOf("3"), c.one().UpdatedFrom)
}
