package command

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// FuzzExport has any text stand in the objects of a cluster. What export writes is read again
// as the same rule set.
func FuzzExport(f *testing.F) {
	for _, text := range []string{"Acme", "Acme\x7f", "a\u0085b\u2028c", "\ufffe\uffff\ufeff", "\U000e0001", "- a: |\n  b", "#", "\\u007f", "\r\n\t", "'\"", " x ", "---\nkind: Pod", "true", "0x1", "2024-01-01", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.Marshal(text)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &text)) // as an API server holds it, in UTF-8
		source := policies.Source{
			Vendors: []v1alpha1.RestrictedVendor{{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.RestrictedVendorSpec{
				DisplayName: text, Entities: []string{text}, Replacement: text,
				Restrictions: []v1alpha1.Restriction{{Name: "r", Authority: text, Scope: text, Audience: "a", TimeZone: "UTC", Citations: []v1alpha1.Citation{{Title: text}}}},
			}}},
			Waivers: []v1alpha1.VendorWaiver{{ObjectMeta: metav1.ObjectMeta{Name: "w"}, Spec: v1alpha1.VendorWaiverSpec{Vendor: "acme", Reason: text, ApprovedBy: text}}},
		}
		var out bytes.Buffer
		require.NoError(t, writeRules(&out, "sha256:1", source))
		var vendors []v1alpha1.RestrictedVendor
		var waivers []v1alpha1.VendorWaiver
		reader := &manifest.Reader{Stdin: strings.NewReader(out.String()), Broken: func(err *manifest.Error) { t.Error(err) }}
		reader.Read(t.Context(), []string{"-"}, func(d *manifest.Document) {
			objects, _ := d.Objects()
			for _, o := range objects {
				if o.Kind() == vendorKind {
					v, errs := decode[v1alpha1.RestrictedVendor](o)
					assert.Empty(t, errs)
					vendors = append(vendors, v)
					continue
				}
				w, errs := decode[v1alpha1.VendorWaiver](o)
				assert.Empty(t, errs)
				waivers = append(waivers, w)
			}
		})
		require.Len(t, vendors, 1)
		require.Len(t, waivers, 1)
		assert.Equal(t, source.Vendors[0].Spec, vendors[0].Spec)
		assert.Equal(t, source.Waivers[0].Spec, waivers[0].Spec)
	})
}
