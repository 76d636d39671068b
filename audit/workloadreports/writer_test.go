package workloadreports

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/audit/exposure"
)

// desk is where reports are written, with a count of the writes.
type desk struct {
	*Writer
	client *fake.FakeDynamicClient

	mu      sync.Mutex
	served  []*api
	broken  bool
	applied int
	deleted int
	begun   int
}

// newDesk returns a desk in a cluster that serves what is named and has some reports.
func newDesk(t *testing.T, setting Setting, served []*api, there ...runtime.Object) *desk {
	t.Helper()
	d := &desk{served: served}
	d.client = fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		openReports.GroupVersionResource: "ReportList", policyReports.GroupVersionResource: "PolicyReportList",
	}, there...)
	d.client.PrependReactor("patch", "*", d.apply)
	d.client.PrependReactor("delete", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.deleted++
		return false, nil, nil
	})
	d.Writer = newWriter(d.client, d.serves, Options{Setting: setting, BanDate: banDate, Begun: func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.begun++
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { d.Write(ctx) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return d
}

var errBroken = errors.New("the API server has a bad day")

func (d *desk) serves(_ context.Context, a *api) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.served, a), nil
}

// apply stores what is applied, which the fake client can't do by itself.
func (d *desk) apply(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchAction) // it reacts to patches
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applied++
	if d.broken {
		return true, nil, errBroken
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(patch.GetPatch()); err != nil {
		return true, nil, err
	}
	tracker, gvr := d.client.Tracker(), action.GetResource()
	err := tracker.Create(gvr, o, action.GetNamespace())
	if apierrors.IsAlreadyExists(err) {
		err = tracker.Update(gvr, o, action.GetNamespace())
	}
	return true, o, err
}

func (d *desk) counts() (applied, deleted int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.applied, d.deleted
}

func (d *desk) names(t *testing.T, a *api) []string {
	t.Helper()
	list, err := d.client.Resource(a.GroupVersionResource).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].GetNamespace()+"/"+list.Items[i].GetName())
	}
	return names
}

func (d *desk) await(t *testing.T, a *api, names ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(names, d.names(t, a)) }, 5*time.Second, 10*time.Millisecond)
}

const nameOfReport = "mail/embargo-7d7a2b1c-0f1e-4b8b-9d57-0a4f2f3f9a11"

func (d *desk) publish(t *testing.T, findings ...*exposure.Finding) {
	t.Helper()
	d.Publish(exposure.Look{Namespace: "mail", Findings: findings})
}

// stored is a report as another leader left it.
func stored(t *testing.T, a *api, findings ...*exposure.Finding) *unstructured.Unstructured {
	t.Helper()
	o, err := a.object(newWriter(nil, nil, Options{BanDate: banDate}).build("mail", findings))
	require.NoError(t, err)
	return o
}

func TestNothingIsKeptWhereNoKindIsServed(t *testing.T) {
	d := newDesk(t, Auto, nil)
	require.NoError(t, d.look(t.Context(), true))
	d.publish(t, found("c", nil))
	assert.Empty(t, d.Namespaces())
	assert.Zero(t, d.begun)
	assert.Empty(t, d.Group())
}

func TestAReportComesAndGoesWithItsFindings(t *testing.T) {
	d := newDesk(t, Auto, apis)
	require.NoError(t, d.look(t.Context(), true))
	assert.Equal(t, 1, d.begun, "everything is to be published")
	d.publish(t, found("c", nil))
	d.await(t, openReports, nameOfReport)
	d.publish(t)
	d.await(t, openReports)
	assert.Equal(t, Counts{Applied: 1, Deleted: 1}, d.Counts())
	assert.Eventually(t, func() bool { return len(d.Namespaces()) == 0 }, time.Second, 10*time.Millisecond)
}

// TestTheNextLeaderWritesNothing finds the reports of the one before.
func TestTheNextLeaderWritesNothing(t *testing.T) {
	gone := found("c", func(f *exposure.Finding) { f.Workload.UID = "gone" })
	d := newDesk(t, Auto, apis, stored(t, openReports, found("c", nil)), stored(t, openReports, gone))
	require.NoError(t, d.look(t.Context(), true))
	assert.Equal(t, []string{"mail"}, d.Namespaces(), "what is there is to be looked at")
	d.publish(t, found("c", nil))
	d.await(t, openReports, nameOfReport)
	require.NoError(t, d.look(t.Context(), true))
	d.publish(t, found("c", nil))
	applied, deleted := d.counts()
	assert.Zero(t, applied)
	assert.Equal(t, 1, deleted, "but what has no findings any more goes")
}

// TestWhatCannotBeReadKeepsItsReport has the right to read Deployments go, and with it
// their findings, in the time of two leaders.
func TestWhatCannotBeReadKeepsItsReport(t *testing.T) {
	d := newDesk(t, Auto, apis)
	require.NoError(t, d.look(t.Context(), true))
	d.publish(t, found("c", nil))
	d.await(t, openReports, nameOfReport)
	deployments := map[schema.GroupKind]bool{{Group: "apps", Kind: "Deployment"}: true}
	d.Publish(exposure.Look{Namespace: "mail", Unseen: deployments})
	assert.Zero(t, d.queue.Len())

	next := newDesk(t, Auto, apis, stored(t, openReports, found("c", nil)))
	require.NoError(t, next.look(t.Context(), true))
	next.Publish(exposure.Look{Namespace: "mail", Unseen: deployments})
	assert.Zero(t, next.queue.Len())
	next.publish(t)
	next.await(t, openReports)
}

func TestNothingIsDeletedBeforeItsNamespaceWasLookedAt(t *testing.T) {
	d := newDesk(t, Auto, apis, stored(t, openReports, found("c", nil)))
	require.NoError(t, d.look(t.Context(), true))
	require.NoError(t, d.look(t.Context(), true))
	assert.Zero(t, d.queue.Len())
	d.await(t, openReports, nameOfReport)
}

func TestWhatSomebodyDeletedOrChangedIsMended(t *testing.T) {
	d := newDesk(t, Auto, apis)
	require.NoError(t, d.look(t.Context(), true))
	d.publish(t, found("c", nil))
	d.await(t, openReports, nameOfReport)
	reports := d.client.Resource(openReports.GroupVersionResource).Namespace("mail")
	require.NoError(t, reports.Delete(t.Context(), nameOf(deployment.UID), metav1.DeleteOptions{}))
	require.NoError(t, d.look(t.Context(), true))
	d.await(t, openReports, nameOfReport)

	changed := stored(t, openReports, found("c", nil))
	require.NoError(t, unstructured.SetNestedField(changed.Object, int64(0), "summary", "warn"))
	_, err := reports.Update(t.Context(), changed, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.NoError(t, d.look(t.Context(), true))
	require.Eventually(t, func() bool {
		o, err := reports.Get(t.Context(), nameOf(deployment.UID), metav1.GetOptions{})
		require.NoError(t, err)
		warned, _, _ := unstructured.NestedInt64(o.Object, "summary", "warn")
		return warned == 1
	}, 5*time.Second, 10*time.Millisecond)
}

func TestOwnReportsOfTheOtherGroupGo(t *testing.T) {
	foreign := stored(t, policyReports, found("c", nil))
	foreign.SetName("7d7a2b1c-of-another-engine")
	d := newDesk(t, Auto, apis[1:], foreign)
	require.NoError(t, d.look(t.Context(), true))
	d.publish(t, found("c", nil))
	d.await(t, policyReports, "mail/"+foreign.GetName(), nameOfReport)

	d.mu.Lock()
	d.served = apis
	d.mu.Unlock()
	require.NoError(t, d.look(t.Context(), false))
	d.await(t, policyReports, "mail/"+foreign.GetName())
	assert.Empty(t, d.Namespaces())
	assert.Equal(t, 2, d.begun)
	d.publish(t, found("c", nil))
	d.await(t, openReports, nameOfReport)
	assert.Equal(t, "openreports.io", d.Group())
}

func TestWithNoneAllOwnReportsGo(t *testing.T) {
	d := newDesk(t, None, apis, stored(t, openReports, found("c", nil)), stored(t, policyReports, found("c", nil)))
	require.NoError(t, d.look(t.Context(), true))
	assert.Empty(t, d.names(t, openReports))
	assert.Empty(t, d.names(t, policyReports))
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	d := newDesk(t, Auto, apis)
	require.NoError(t, d.look(t.Context(), true))
	d.mu.Lock()
	d.broken = true
	d.mu.Unlock()
	d.publish(t, found("c", nil))
	require.Eventually(t, func() bool { return d.Counts().Failed > 0 }, 5*time.Second, 10*time.Millisecond)
	d.mu.Lock()
	d.broken = false
	d.mu.Unlock()
	d.await(t, openReports, nameOfReport)
}

// TestAReportStaysASecondAtLeast publishes changes as fast as they come.
func TestAReportStaysASecondAtLeast(t *testing.T) {
	d := newDesk(t, Auto, apis)
	require.NoError(t, d.look(t.Context(), true))
	began := time.Now()
	for i := 0; time.Since(began) < 1500*time.Millisecond; i++ {
		d.publish(t, found("c", func(f *exposure.Finding) { f.Since = since.Add(time.Duration(i) * time.Second) }))
	}
	applied, _ := d.counts()
	assert.LessOrEqual(t, applied, 2)
	assert.Positive(t, applied)
}

// TestWithoutRightsToAnotherAPIItsReportsStay: an installation may grant the rights to the
// chosen API only.
func TestWithoutRightsToAnotherAPIItsReportsStay(t *testing.T) {
	d := newDesk(t, WGPolicy, []*api{openReports, policyReports})
	d.client.PrependReactor("list", "reports", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(openReports.GroupResource(), "", errors.New("no rule allows it"))
	})
	var lines []string
	ctx := logf.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	require.NoError(t, d.look(ctx, true))
	require.NoError(t, d.look(ctx, true))
	assert.Equal(t, "wgpolicyk8s.io", d.Group(), "the chosen API is written")
	said := strings.Join(lines, "\n")
	assert.Equal(t, 1, strings.Count(said, "kubectl delete reports.openreports.io -A -l app.kubernetes.io/managed-by=embargo"), said)
}
