package audit_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/random"
)

// crowded is a rule set with workloads that often meet it.
type crowded struct {
	list      *random.List
	workloads []random.Workload
}

var clusters = rapid.Custom(func(t *rapid.T) crowded {
	c := crowded{list: random.NewList(t)}
	for i := range 40 {
		c.workloads = append(c.workloads, c.list.NewWorkload(t, fmt.Sprint("w", i)))
	}
	return c
})

// storable returns a random cluster of which the API server takes the rules.
func storable(t *testing.T) crowded {
	t.Helper()
	for seed := 1; seed < 1000; seed++ {
		c := clusters.Example(seed)
		vendor, policy := &c.list.Source.Vendors[0], &c.list.Source.Policies[0]
		if len(policies.ValidateRestrictedVendor(vendor)) > 0 || len(policies.ValidateVendorPolicy(policy, nil)) > 0 || repeats(vendor) {
			continue
		}
		r := &vendor.Spec.Restrictions[0]
		r.Authority, r.Citations = "the tests", []v1alpha1.Citation{{Title: "Order 1", URL: "https://example.com/1"}}
		vendor.Name, policy.Name = "random", "random"
		return c
	}
	t.Fatal("no random cluster is good enough")
	return crowded{}
}

// repeats reports whether a pattern stands twice, which the API server refuses.
func repeats(v *v1alpha1.RestrictedVendor) bool {
	seen := map[string]bool{}
	for _, r := range v.Spec.Images.Repositories {
		if seen[r.Pattern] {
			return true
		}
		seen[r.Pattern] = true
	}
	return false
}

// finding is what both the webhook and the report say of an image.
type finding struct {
	Container, Image, Canonical, Vendor, Restriction, Phase, Use, Evidence string
	Action                                                                 v1alpha1.Action
	Confidence                                                             v1alpha1.Confidence
}

func (f finding) String() string { return fmt.Sprintf("%#v", f) }

// TestReportsSayWhatAdmissionWould fills the cluster at random, and compares the reports
// with what the webhook says to a dry run of an update that leaves each object as it is.
func TestReportsSayWhatAdmissionWould(t *testing.T) {
	ns := namespace(t)
	c := storable(t)
	var created []client.Object
	for _, w := range c.workloads {
		w.Object.SetNamespace(ns)
		err := stage.Admin.Create(t.Context(), w.Object)
		if apierrors.IsInvalid(err) {
			continue
		}
		require.NoError(t, err)
		created = append(created, w.Object)
	}
	require.NoError(t, stage.Admin.Create(t.Context(), &c.list.Source.Vendors[0]))
	t.Cleanup(func() { must(t, "delete", "restrictedvendor", "random") })
	require.NoError(t, stage.Admin.Create(t.Context(), &c.list.Source.Policies[0]))
	t.Cleanup(func() { must(t, "delete", "vendorpolicy", "random") })
	settled(t, ns)

	compared := 0
	for _, o := range created {
		require.Eventually(t, func() bool { // controllers change it meanwhile
			require.NoError(t, stage.Admin.Get(t.Context(), client.ObjectKeyFromObject(o), o))
			return stage.Admin.Update(t.Context(), o, client.DryRunAll) == nil
		}, 10*time.Second, 20*time.Millisecond)
		want := said(t, o)
		assert.Equal(t, want, listedIn(t, ns, o.GetUID()), "%T %s", o, o.GetName())
		compared += len(want)
	}
	t.Logf("%d objects with %d findings", len(created), compared)
	assert.Greater(t, compared, 10, "the cluster is to be worth the test")
}

// settled waits until reports and webhook have the rules of the cluster as they are.
func settled(t *testing.T, ns string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var vendors v1alpha1.RestrictedVendorList
		var vp v1alpha1.VendorPolicyList
		var waivers v1alpha1.VendorWaiverList
		require.NoError(t, stage.Admin.List(t.Context(), &vendors))
		require.NoError(t, stage.Admin.List(t.Context(), &vp))
		require.NoError(t, stage.Admin.List(t.Context(), &waivers))
		rules, _ := policies.Compile(policies.Source{Vendors: vendors.Items, Policies: vp.Items, Waivers: waivers.Items})
		r := report(t, ns, "random")
		enforced := must(t, "get", "rv", "random", "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status}`)
		return r != nil && r.RuleSet == rules.Digest() && enforced == "True"
	}, 20*time.Second, 100*time.Millisecond)
}

// said returns the findings that the webhook left in the API server's audit log, in its
// answer to the last dry run of an update of the object.
func said(t *testing.T, o client.Object) []string {
	t.Helper()
	log, err := os.Open(stage.Plane.AuditLog())
	require.NoError(t, err)
	defer log.Close() //nolint:errcheck // read only
	var found struct{ Findings []policies.Finding }
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var event struct {
			Verb, RequestURI string
			ObjectRef        struct{ UID types.UID }
			Annotations      map[string]string
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Verb != "update" || event.ObjectRef.UID != o.GetUID() || !strings.Contains(event.RequestURI, "dryRun=All") {
			continue
		}
		found.Findings = nil
		for key, value := range event.Annotations {
			if strings.HasSuffix(key, "/findings") {
				require.NoError(t, json.Unmarshal([]byte(value), &found))
			}
		}
	}
	require.NoError(t, lines.Err())
	var all []string
	for _, f := range found.Findings {
		all = append(all, finding{
			f.Container, f.Image, f.Canonical, f.Vendor, f.Restriction, f.Phase, string(f.Use), string(f.Evidence), f.Action, f.Confidence,
		}.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// listedIn returns the findings on a workload in the namespace's reports.
func listedIn(t *testing.T, ns string, uid types.UID) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"random", v1alpha1.UnreadableImages} {
		r := report(t, ns, name)
		if r == nil {
			continue
		}
		require.LessOrEqual(t, len(r.Findings), v1alpha1.MaxReportFindings-1, "all are listed")
		for _, f := range r.Findings {
			if f.Workload.UID == string(uid) {
				all = append(all, finding{
					f.Container, f.Image, f.Canonical, r.Vendor, f.Restriction, f.Phase, f.Use, f.Evidence, f.Action, f.Confidence,
				}.String())
			}
		}
	}
	slices.Sort(all)
	return all
}
