package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/audit/reports"
	"embargo.dev/policies/v1alpha1"
)

// oddTexts have characters that YAML or XML can't hold, or that nobody can see.
var oddTexts = []string{
	"\x01", "\x1b[31m", "\x7f", "\u0080", "\u0085", "\u009f", "\u00a0", "\u200b", "\u202e", "\u2028", "\ufeff", "\ufffe", "\uffff",
	"\U000e0001", "\ufffd", `\u007f`, `"`, ": - #", strings.Repeat("\x7f", 400),
}

// fleet is a custom resource whose texts a tenant chooses.
func fleet(odd string) *unstructured.Unstructured {
	template := func(image string) map[string]any {
		return map[string]any{"containers": []any{map[string]any{"name": "c" + odd, "image": image}}}
	}
	controls := true
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"a" + odd: template("busybox" + odd), "b" + odd: template(agent)}}}
	u.SetNamespace("mail")
	u.SetName("fleet")
	u.SetUID("uid-fleet")
	u.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v" + odd, Kind: "K" + odd, Name: "n" + odd, UID: types.UID("u" + odd), Controller: &controls}})
	return u
}

// published has a resource with odd texts found, and returns what the sinks take.
func published(t *testing.T, odd string) exposure.Look {
	t.Helper()
	c := newCluster(t, later)
	kind := &inventory.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Fleet"}, Resource: "fleets"}
	seen, ok := read(kind, fleet(odd))
	require.True(t, ok)
	c.inventory.Put(kind, seen, 1)
	found := c.look()
	require.Len(t, found, 2, "one can't be read, one is the vendor's")
	return exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Now: c.now, Findings: found}
}

// writtenReports are the reports that are written of a look.
func writtenReports(t *testing.T, look exposure.Look) []v1alpha1.VendorReport {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	c := fake.NewClientBuilder().WithScheme(scheme).Build()
	uid := func(string) types.UID { return "uid" }
	r := reports.New(c, uid, uid)
	r.Publish(look)
	go r.Write(t.Context())
	var list v1alpha1.VendorReportList
	require.Eventually(t, func() bool {
		return c.List(t.Context(), &list, client.InNamespace("mail")) == nil && len(list.Items) == 2
	}, 5*time.Second, 5*time.Millisecond)
	return list.Items
}

// TestATenantsTextsBreakNoReport: kubectl can write each as YAML, and the next leader reads
// its memory back.
func TestATenantsTextsBreakNoReport(t *testing.T) {
	for _, odd := range oddTexts {
		t.Run(odd, func(t *testing.T) {
			look := published(t, odd)
			again := reports.New(nil, func(string) types.UID { return "uid" }, func(string) types.UID { return "uid" })
			for _, report := range writtenReports(t, look) {
				text, err := yaml.Marshal(&report)
				require.NoError(t, err)
				var read v1alpha1.VendorReport
				require.NoError(t, yaml.Unmarshal(text, &read))
				assert.Equal(t, asJSON(t, &report), asJSON(t, &read))
				again.Page([]runtime.Object{&read}, 1)
			}
			for _, f := range look.Findings {
				memory, known := again.Recall("mail")(f.Key(), f.Workload)
				assert.True(t, known, f.Image)
				assert.Equal(t, f.Since, memory.Since.UTC())
			}
		})
	}
}

func TestOddImagesAreShownInQuotesWithCodes(t *testing.T) {
	for _, report := range writtenReports(t, published(t, "\x7f")) {
		f := report.Findings[0]
		assert.Equal(t, `c\u007f`, f.Container)
		assert.Equal(t, `n\u007f`, f.Workload.Name)
		if report.Vendor != "" {
			assert.Equal(t, agent, f.Image)
			continue
		}
		assert.Equal(t, `"busybox\u007f"`, f.Image)
		assert.Contains(t, f.Remark, `container "c\u007f": image "busybox\u007f" can't be read`)
	}
}

// TestATenantsTextsBreakNoEvent has the notes of events, and what they are about.
func TestATenantsTextsBreakNoEvent(t *testing.T) {
	for _, odd := range oddTexts {
		teller := waiting()
		teller.Publish(published(t, odd))
		require.Len(t, teller.queue, 2)
		for _, e := range teller.queue {
			for _, text := range []string{e.note, e.regarding.Name, e.regarding.Kind, e.regarding.APIVersion, string(e.regarding.UID)} {
				out, err := yaml.Marshal(text)
				require.NoError(t, err)
				var back string
				require.NoError(t, yaml.Unmarshal(out, &back))
				assert.Equal(t, text, back)
			}
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// FuzzReportedTexts has any text be an image, a container, a field and an owner.
func FuzzReportedTexts(f *testing.F) {
	for _, odd := range oddTexts {
		f.Add(odd)
	}
	f.Fuzz(func(t *testing.T, odd string) {
		c := newCluster(t, later)
		kind := &inventory.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Fleet"}, Resource: "fleets"}
		seen, ok := read(kind, fleet(odd))
		require.True(t, ok)
		c.inventory.Put(kind, seen, 1)
		for _, found := range c.look() {
			shown := []string{
				exposure.Shown(found.Image), exposure.Shown(found.Field), found.Key().Container, found.Key().Image,
				found.Workload.Name, found.Workload.Kind, found.Workload.APIVersion, string(found.Workload.UID), found.Carrier, found.RestartOwner, found.Message,
			}
			out, err := yaml.Marshal(shown)
			require.NoError(t, err)
			var back []string
			require.NoError(t, yaml.Unmarshal(out, &back))
			assert.Equal(t, shown, back)
			assert.Equal(t, exposure.Shown(found.Image), exposure.Shown(exposure.Shown(found.Image)), "the next leader reads the same")
		}
	})
}
