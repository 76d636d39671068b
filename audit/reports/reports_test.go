package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/pacing"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

var now = time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)

// desk is where reports are written, with a count of the writes.
type desk struct {
	*Reports
	client client.Client

	mu      sync.Mutex
	writes  []time.Time
	gone    bool  // whether the vendor is
	refusal error // of what is created
}

func newDesk(t *testing.T, objects ...client.Object) *desk {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	d := &desk{}
	note := func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.writes = append(d.writes, time.Now())
	}
	d.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			note()
			d.mu.Lock()
			refusal := d.refusal
			d.mu.Unlock()
			if refusal != nil {
				return refusal
			}
			return c.Create(ctx, o, options...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.UpdateOption) error {
			note()
			return c.Update(ctx, o, options...)
		},
	}).Build()
	d.Reports = New(d.client, func(name string) types.UID {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.gone {
			return ""
		}
		return types.UID("uid-of-" + name)
	}, func(name string) types.UID { return types.UID("uid-of-namespace-" + name) })
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { d.Write(ctx) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return d
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.writes)
}

func (d *desk) report(t *testing.T) *v1alpha1.VendorReport {
	t.Helper()
	var r v1alpha1.VendorReport
	err := d.client.Get(t.Context(), client.ObjectKey{Namespace: "mail", Name: "acme"}, &r)
	if apierrors.IsNotFound(err) {
		return nil
	}
	require.NoError(t, err)
	return &r
}

func (d *desk) await(t *testing.T, is func(*v1alpha1.VendorReport) bool) *v1alpha1.VendorReport {
	t.Helper()
	require.Eventually(t, func() bool { return is(d.report(t)) }, 5*time.Second, 10*time.Millisecond)
	return d.report(t)
}

func shows(text string) func(*v1alpha1.VendorReport) bool {
	return func(r *v1alpha1.VendorReport) bool { return r != nil && r.Summary.Shown == text }
}

func findings(n int) []*exposure.Finding {
	all := make([]*exposure.Finding, n)
	for i := range all {
		all[i] = &exposure.Finding{
			Finding: policies.Finding{
				Container: "c", Field: "spec.containers[0].image", Image: "registry.acme.example/agent:1", Canonical: "registry.acme.example/agent:1",
				Vendor: "acme", Restriction: "order", Phase: "banned", Use: policies.UseContinue, Action: v1alpha1.ActionWarn,
				Evidence: policies.EvidenceReference, Confidence: v1alpha1.ConfidenceConfirmed, Policies: []string{"default"},
			},
			Workload:  exposure.Workload{APIVersion: "v1", Kind: "Pod", Namespace: "mail", Name: fmt.Sprintf("p-%05d", i), UID: types.UID(fmt.Sprint("uid-", i))},
			Admission: v1alpha1.AdmissionCouldSee, Pods: 1, Since: now.Add(-time.Hour), SinceFrom: v1alpha1.SincePod,
		}
	}
	return all
}

func TestAReportIsBounded(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(10_000), Now: now})
	r := d.await(t, shows("250 of 10000"))
	assert.Len(t, r.Findings, v1alpha1.MaxReportFindings)
	assert.EqualValues(t, 10_000, r.Summary.Workloads)
	assert.EqualValues(t, 10_000, r.Summary.Findings.Warn)
	assert.EqualValues(t, 1, r.Summary.Images)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: nil, Now: now.Add(time.Minute)})
	r = d.await(t, shows("0 of 0"))
	assert.Len(t, r.Resolved, v1alpha1.MaxReportResolved)
}

// TestAReportThatNobodyCanKeepFromBeingWritten has texts of which each byte takes six.
func TestAReportThatNobodyCanKeepFromBeingWritten(t *testing.T) {
	found := findings(300)
	for _, f := range found {
		f.Vendor, f.Image = "", strings.Repeat("<", 5000)
		f.Field, f.Message = f.Image, f.Image
	}
	r := build("mail", "", "sha256:1", found, &memories{})
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Less(t, len(text), 1<<20)
	assert.Greater(t, len(r.Findings), 10)
	assert.Equal(t, fmt.Sprintf("%d of 300", len(r.Findings)), r.Summary.Shown)
}

func TestWhatDidNotChangeIsNotWritten(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(3), Now: now})
	r := d.await(t, shows("3 of 3"))
	for i := range 5 {
		d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(3), Now: now.Add(time.Duration(i) * time.Hour)})
		d.Change(watch.Modified, r)
	}
	assert.Never(t, func() bool { return d.count() > 1 }, 1500*time.Millisecond, 50*time.Millisecond)
	assert.Equal(t, now, d.report(t).EvaluatedAt.UTC(), "when its content came to be")
}

func TestAReportIsWrittenOnceASecondAtMost(t *testing.T) {
	d := newDesk(t)
	for i := range 20 {
		d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(i + 1), Now: now})
		d.await(t, func(r *v1alpha1.VendorReport) bool { return r != nil })
	}
	d.await(t, shows("20 of 20"))
	d.mu.Lock()
	defer d.mu.Unlock()
	require.Len(t, d.writes, 2, "the first, and a second later the last")
	assert.GreaterOrEqual(t, d.writes[1].Sub(d.writes[0]), pacing.Rest-10*time.Millisecond)
}

func TestWhatOthersDoToAReportIsMended(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(2), Now: now})
	r := d.await(t, shows("2 of 2"))
	r.Summary.Shown, r.Findings = "1 of 1", r.Findings[:1]
	require.NoError(t, d.client.Update(t.Context(), r))
	d.Change(watch.Modified, r)
	d.await(t, shows("2 of 2"))
	r = d.report(t)
	require.NoError(t, d.client.Delete(t.Context(), r))
	d.Change(watch.Deleted, r)
	d.await(t, shows("2 of 2"))

	// A write in between that the audit hasn't seen yet is a conflict, and no more.
	r = d.report(t)
	r.Summary.Shown = "9 of 9"
	require.NoError(t, d.client.Update(t.Context(), r))
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(4), Now: now})
	d.await(t, shows("4 of 4"))
}

// TestReportsComeBackWithTheirKind has the kind be deleted with all its objects, and made
// again.
func TestReportsComeBackWithTheirKind(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(2), Now: now})
	r := d.await(t, shows("2 of 2"))
	d.mu.Lock()
	d.refusal = apierrors.NewNotFound(schema.GroupResource{}, "")
	d.mu.Unlock()
	require.NoError(t, d.client.Delete(t.Context(), r))
	d.Change(watch.Deleted, r)
	require.Eventually(t, func() bool { return d.count() == 2 }, 5*time.Second, 10*time.Millisecond)
	assert.Nil(t, d.report(t))
	d.mu.Lock()
	d.refusal = nil
	d.mu.Unlock()
	d.Listed(2)
	d.await(t, shows("2 of 2"))
}

// TestAReportThatIsNoneIsDeleted has somebody have written one while nobody refused it.
func TestAReportThatIsNoneIsDeleted(t *testing.T) {
	forged := &v1alpha1.VendorReport{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "forged"}, Vendor: "acme", RuleSet: "sha256:0"}
	d := newDesk(t, forged)
	require.NoError(t, d.client.Get(t.Context(), client.ObjectKeyFromObject(forged), forged))
	d.Page([]runtime.Object{forged}, 1)
	require.Eventually(t, func() bool {
		return apierrors.IsNotFound(d.client.Get(t.Context(), client.ObjectKeyFromObject(forged), forged))
	}, 5*time.Second, 10*time.Millisecond)
}

func TestResolvedFindingsStayForAWhile(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(2), Now: now})
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(1), Now: now.Add(time.Hour)})
	r := d.await(t, shows("1 of 1"))
	require.Len(t, r.Resolved, 1)
	assert.Equal(t, "p-00001", r.Resolved[0].Workload.Name)
	assert.Equal(t, now.Add(-time.Hour), r.Resolved[0].Since.UTC())
	assert.Equal(t, now.Add(time.Hour), r.Resolved[0].ResolvedAt.UTC())
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: nil, Now: now.Add(2 * time.Hour)})
	assert.Len(t, d.await(t, shows("0 of 0")).Resolved, 2)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: nil, Now: now.Add(2*time.Hour + keepResolved + time.Second)})
	d.await(t, func(r *v1alpha1.VendorReport) bool { return r == nil })
	assert.Empty(t, d.Namespaces())
}

// TestWhatCannotBeSeenIsNotResolved has the audit be refused a kind of which there were
// findings.
func TestWhatCannotBeSeenIsNotResolved(t *testing.T) {
	d := newDesk(t)
	found := findings(2)
	found[1].Workload.APIVersion, found[1].Workload.Kind = "example.com/v1", "Widget"
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now})
	d.await(t, shows("2 of 2"))
	widgets := map[schema.GroupKind]bool{{Group: "example.com", Kind: "Widget"}: true}
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: nil, Now: now.Add(time.Hour), Unseen: widgets})
	r := d.await(t, shows("0 of 0"))
	require.Len(t, r.Resolved, 1)
	assert.Equal(t, "Pod", r.Resolved[0].Workload.Kind)
	_, known := d.Recall("mail")(found[1].Key(), found[1].Workload)
	assert.True(t, known, "it is remembered until it can be seen")
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Now: now.Add(2 * time.Hour)})
	d.await(t, func(r *v1alpha1.VendorReport) bool { return len(r.Resolved) == 2 })
}

func TestAReportGoesWithItsVendor(t *testing.T) {
	d := newDesk(t)
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: findings(2), Now: now})
	r := d.await(t, shows("2 of 2"))
	assert.Empty(t, r.OwnerReferences, "a restored report would be collected with an owner that is no longer there")
	d.mu.Lock()
	d.gone = true
	d.mu.Unlock()
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:2", Findings: nil, Now: now})
	d.await(t, func(r *v1alpha1.VendorReport) bool { return r == nil })
}

// TestAnotherLeaderRemembers has a second audit read what the first one wrote.
func TestAnotherLeaderRemembers(t *testing.T) {
	d := newDesk(t)
	found := findings(3)
	found[0].ArrivedAfterBan, found[0].Digests, found[0].UpdatedFrom = true, []string{"sha256:2"}, "sha256:1"
	found[1].ArrivalWaiver = "w"
	found[2].Node = "node-1"
	found[2].Next = &policies.NextPhase{Phase: "stopped", Effective: now.Add(time.Hour)}
	found[2].ToldDaysBefore = 7
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now})
	written := d.await(t, shows("3 of 3"))

	next := newDesk(t, written)
	next.Page([]runtime.Object{written}, 1)
	next.Listed(1)
	assert.Equal(t, []string{"mail"}, next.Namespaces())
	recall, recallBefore := next.Recall("mail"), d.Recall("mail")
	for _, f := range found {
		want, known := recallBefore(f.Key(), f.Workload)
		require.True(t, known)
		got, known := recall(f.Key(), f.Workload)
		require.True(t, known, "%+v", f.Key())
		got.Since, got.At = got.Since.UTC(), got.At.UTC()
		assert.Equal(t, want, got)
	}
	next.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now.Add(time.Hour)})
	assert.Never(t, func() bool { return next.count() > 0 }, 500*time.Millisecond, 50*time.Millisecond, "and has nothing to write")
}

// TestDigestsThatAreNotListedAreNotTakenForNew has more of them run than a report lists.
func TestDigestsThatAreNotListedAreNotTakenForNew(t *testing.T) {
	found := findings(1)
	for i := range v1alpha1.MaxReportDigests + 1 {
		found[0].Digests = append(found[0].Digests, fmt.Sprint("sha256:", i))
	}
	r := build("mail", "acme", "sha256:1", found, &memories{})
	assert.EqualValues(t, 1, r.Findings[0].MoreDigests)
	assert.Empty(t, remembered(r).findings[found[0].Key()].Digests)
}

// TestAnotherLeaderRemembersWhatIsNotListed has it read a report on more findings than fit.
func TestAnotherLeaderRemembersWhatIsNotListed(t *testing.T) {
	d := newDesk(t)
	found := findings(10_000)
	last := found[len(found)-1]
	last.Since, last.SinceFrom, last.ArrivedAfterBan = now.Add(-100*time.Hour), v1alpha1.SinceFirstSeen, true
	found[9_000].ArrivalWaiver = "w"
	found[9_000].Next, found[9_000].ToldDaysBefore = &policies.NextPhase{Phase: "stopped", Effective: now.Add(time.Hour)}, 7
	d.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found, Now: now})
	written := d.await(t, shows("250 of 10000"))
	assert.Less(t, len(written.Annotations[unlistedAnnotation]), 200<<10)

	next := newDesk(t, written)
	next.Page([]runtime.Object{written}, 1)
	next.Listed(1)
	for i, f := range found {
		memory, known := next.Recall("mail")(f.Key(), f.Workload)
		require.True(t, known, i)
		require.True(t, f.Since.Equal(memory.Since), i)
		require.Equal(t, f.SinceFrom, memory.SinceFrom, i)
		require.Equal(t, f.ArrivedAfterBan, memory.ArrivedAfterBan, i)
		require.Equal(t, f.ArrivalWaiver != "", memory.Covered, i)
		require.Equal(t, f.ToldDaysBefore, memory.ToldDaysBefore, i)
	}
	_, known := next.Recall("mail")(exposure.Key{Vendor: "acme"}, exposure.Workload{})
	assert.False(t, known)
	next.Publish(exposure.Look{Namespace: "mail", RuleSet: "sha256:1", Findings: found[:9_999], Now: now.Add(time.Hour)})
	assert.Empty(t, next.await(t, shows("250 of 9999")).Resolved, "it doesn't know what that was")
}

func TestTheLineThatGetShows(t *testing.T) {
	found := findings(4)
	found[1].Restriction, found[1].Next = "sooner", &policies.NextPhase{Phase: "stopped", Effective: now.Add(time.Hour)}
	found[2].Restriction, found[2].Next = "later", &policies.NextPhase{Phase: "ended", Effective: now.Add(2 * time.Hour)}
	found[3].Restriction, found[3].Action = "weak", v1alpha1.ActionAudit
	found[3].Next = &policies.NextPhase{Phase: "soon", Effective: now.Add(time.Minute)}
	found[3].Since = now.Add(-48 * time.Hour)
	s := summarise(found, len(found))
	assert.Equal(t, "sooner", s.Restriction)
	assert.Equal(t, "stopped", s.Next)
	assert.EqualValues(t, 4, s.Restrictions)
	assert.Equal(t, v1alpha1.ActionWarn, s.Action)
	assert.Equal(t, v1alpha1.ActionCounts{Warn: 3, Audit: 1}, s.Findings)
	assert.Equal(t, now.Add(-48*time.Hour), s.Since.UTC())
}
