package builtin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// fixture is an Installer on a cluster in memory, with what it logs and applies.
type fixture struct {
	*Installer

	ctx      context.Context
	cluster  client.WithWatch
	recorder *events.FakeRecorder
	log      []string
	applied  []string         // names of the vendors that were sent to the API server
	fails    map[string]error // by the name of the vendor
}

func newFixture(t *testing.T, selection catalog.Selection, objects ...client.Object) *fixture {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), apiextensionsv1.AddToScheme(scheme)))
	f := &fixture{recorder: events.NewFakeRecorder(100), fails: map[string]error{}}
	f.ctx = logf.IntoContext(t.Context(), funcr.New(func(_, line string) { f.log = append(f.log, line) }, funcr.Options{}))
	f.cluster = fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, definition("life-1"), installed("installation-1"))...).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if named, ok := o.(interface{ GetName() string }); ok {
				f.applied = append(f.applied, named.GetName())
				if err := f.fails[named.GetName()]; err != nil {
					return err
				}
			}
			return c.Apply(ctx, o, options...)
		},
	}).Build()
	f.Installer = &Installer{
		Client: f.cluster, Vendors: selection, DefaultPolicy: true, Recorder: f.recorder,
		Marker: Marker{Client: f.cluster, Namespace: "embargo-system", Name: "embargo-state", Owner: "embargo"},
	}
	return f
}

// definition is the CustomResourceDefinition of policies in one of its lives.
func definition(uid types.UID) *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "vendorpolicies.embargo.dev", UID: uid}}
}

// installed is the ClusterRole that stands for an installation.
func installed(uid types.UID) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "embargo", UID: uid}}
}

// vendor is a vendor with the list's label, if wanted, and the version of a list.
func vendor(name, label, listVersion string) *v1alpha1.RestrictedVendor {
	v := &v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.RestrictedVendorSpec{DisplayName: "as it was"}}
	if label != "" {
		v.Labels = map[string]string{listLabel: label}
	}
	if listVersion != "" {
		v.Annotations = map[string]string{versionAnnotation: listVersion}
	}
	return v
}

func (f *fixture) get(t *testing.T, name string) *v1alpha1.RestrictedVendor {
	t.Helper()
	v := &v1alpha1.RestrictedVendor{}
	require.NoError(t, f.cluster.Get(t.Context(), client.ObjectKey{Name: name}, v))
	return v
}

func (f *fixture) events() []string {
	var texts []string
	for len(f.recorder.Events) > 0 {
		texts = append(texts, <-f.recorder.Events)
	}
	return texts
}

// inState reports whether the metric has a vendor in a state.
func inState(t *testing.T, vendor string, s state) bool {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, sample := range family.GetMetric() {
			if family.GetName() == "embargo_catalog_vendors" && sample.GetLabel()[0].GetValue() == string(s) && sample.GetLabel()[1].GetValue() == vendor {
				return true
			}
		}
	}
	return false
}

func TestTheListIsInstalledWithItsVersion(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All})
	require.NoError(t, f.reconcile(f.ctx))
	for _, name := range catalog.Names() {
		v := f.get(t, name)
		assert.Equal(t, catalog.Version, v.Annotations[versionAnnotation])
		assert.Equal(t, listBuiltin, v.Labels[listLabel])
		assert.True(t, inState(t, name, stateManaged), name)
	}
	assert.Empty(t, f.events(), "nothing was deleted")
	f.applied = nil
	require.NoError(t, f.reconcile(f.ctx))
	assert.Empty(t, f.applied, "nothing is written where nothing changed")
}

func TestADeletedVendorIsPutBack(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All})
	require.NoError(t, f.reconcile(f.ctx))
	require.NoError(t, f.cluster.Delete(t.Context(), f.get(t, "kaspersky")))
	require.NoError(t, f.reconcile(f.ctx))
	assert.NotEmpty(t, f.get(t, "kaspersky").Spec.DisplayName)
	texts := f.events()
	require.Len(t, texts, 1)
	assert.Contains(t, texts[0], "Warning VendorRestored")
	assert.Contains(t, texts[0], `set catalog.vendors to ["*", "!kaspersky"]`)
}

// TestADeletionWhileNobodyLedIsReportedToo: a new leader has not seen the vendor.
func TestADeletionWhileNobodyLedIsReportedToo(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All}, vendor("zte", listBuiltin, catalog.Version))
	require.NoError(t, f.reconcile(f.ctx))
	assert.Len(t, f.events(), len(catalog.Names())-1)

	upgraded := newFixture(t, catalog.Selection{catalog.All}, vendor("zte", listBuiltin, "2020-01-01"))
	require.NoError(t, upgraded.reconcile(upgraded.ctx))
	assert.Empty(t, upgraded.events(), "the others are new in this version")
}

func TestAVendorThatIsLeftOutStaysAway(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All, "!zte", "!huawei"}, vendor("zte", listBuiltin, catalog.Version), vendor("huawei", listBuiltin, "9999-01-01"))
	require.NoError(t, f.reconcile(f.ctx))
	require.NoError(t, f.reconcile(f.ctx))
	assert.Equal(t, "as it was", f.get(t, "zte").Spec.DisplayName)
	assert.True(t, inState(t, "zte", stateDeselected))
	assert.False(t, inState(t, "huawei", stateDeselected), "somebody feeds a list of their own")
	said := 0
	for _, line := range f.log {
		if strings.Contains(line, "kubectl delete restrictedvendor zte") {
			said++
		}
	}
	assert.Equal(t, 1, said, "it is logged once")
	require.NoError(t, f.cluster.Delete(t.Context(), f.get(t, "zte")))
	require.NoError(t, f.reconcile(f.ctx))
	require.Error(t, f.cluster.Get(t.Context(), client.ObjectKey{Name: "zte"}, &v1alpha1.RestrictedVendor{}))
	assert.False(t, inState(t, "zte", stateDeselected))
}

// TestWhatIsNotTheListsIsNeverTouched: nor does anything claim that it is managed.
func TestWhatIsNotTheListsIsNeverTouched(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All},
		vendor("kaspersky", "", catalog.Version), vendor("zte", listBuiltin, ""), vendor("huawei", "values", "2020-01-01"),
		vendor("hytera", listBuiltin, "9999-01-01"), vendor("dahua", listBuiltin, "latest"))
	older, err := desired(vendor("tencent", listBuiltin, ""))
	require.NoError(t, err)
	older.SetAnnotations(map[string]string{versionAnnotation: "2020-01-01"})
	require.NoError(t, f.cluster.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(older), client.FieldOwner(FieldManager)))
	require.NoError(t, f.reconcile(f.ctx))
	for name, s := range map[string]state{"kaspersky": stateForeign, "zte": stateForeign, "huawei": stateForeign, "hytera": stateNewer, "dahua": stateForeign} {
		assert.Equal(t, "as it was", f.get(t, name).Spec.DisplayName, name)
		assert.True(t, inState(t, name, s), "%s is %s", name, s)
		assert.False(t, inState(t, name, stateManaged), name)
		assert.NotContains(t, f.applied, name)
	}
	assert.Equal(t, catalog.Version, f.get(t, "tencent").Annotations[versionAnnotation], "an older version is brought up to date")
	assert.NotEqual(t, "as it was", f.get(t, "tencent").Spec.DisplayName)
	lines := len(f.log)
	require.NoError(t, f.reconcile(f.ctx))
	assert.Len(t, f.log, lines, "nothing is logged twice")
}

func TestAChangeOfSomebodysStays(t *testing.T) {
	f := newFixture(t, catalog.Selection{"kaspersky"})
	require.NoError(t, f.reconcile(f.ctx))
	v := f.get(t, "kaspersky")
	v.Spec.DisplayName, v.Generation = "Kaspersky (all of it)", v.Generation+1
	require.NoError(t, f.cluster.Update(t.Context(), v, client.FieldOwner("kubectl-edit")))
	f.applied = nil
	require.NoError(t, f.reconcile(f.ctx))
	require.NoError(t, f.reconcile(f.ctx))
	assert.Equal(t, "Kaspersky (all of it)", f.get(t, "kaspersky").Spec.DisplayName)
	assert.True(t, inState(t, "kaspersky", stateChanged))
	assert.Equal(t, []string{"kaspersky"}, f.applied, "the conflict is found once, not in each round")
}

// TestOneVendorKeepsNothingElseFromBeingInstalled: what is restricted must not hang on
// the vendor that is first in the list.
func TestOneVendorKeepsNothingElseFromBeingInstalled(t *testing.T) {
	f := newFixture(t, catalog.Selection{catalog.All})
	first := catalog.Names()[0]
	f.fails[first] = errors.New("unknown field")
	require.ErrorContains(t, f.reconcile(f.ctx), "unknown field")
	assert.True(t, inState(t, first, stateFailed))
	for _, name := range catalog.Names()[1:] {
		f.get(t, name)
	}
	require.NoError(t, f.cluster.Get(t.Context(), client.ObjectKey{Name: "default"}, &v1alpha1.VendorPolicy{}))
	delete(f.fails, first)
	require.NoError(t, f.reconcile(f.ctx), "it is tried again")
	assert.Empty(t, f.events(), "nothing was deleted")
}

// TestTheDefaultPolicyIsCreatedOnceInTheLifeOfItsKind deletes first the policy and then its
// CustomResourceDefinition.
func TestTheDefaultPolicyIsCreatedOnceInTheLifeOfItsKind(t *testing.T) {
	f := newFixture(t, nil)
	policy := func() *v1alpha1.VendorPolicy {
		p := &v1alpha1.VendorPolicy{}
		if err := f.cluster.Get(t.Context(), client.ObjectKey{Name: "default"}, p); err != nil {
			require.NoError(t, client.IgnoreNotFound(err))
			return nil
		}
		return p
	}
	require.NoError(t, f.reconcile(f.ctx))
	require.NotNil(t, policy())
	require.NoError(t, f.cluster.Delete(t.Context(), policy()))
	require.NoError(t, f.reconcile(f.ctx))
	assert.Nil(t, policy(), "it stays deleted")

	require.NoError(t, f.cluster.Delete(t.Context(), definition("")))
	require.ErrorIs(t, f.reconcile(f.ctx), errKindGone)
	require.NoError(t, f.cluster.Create(t.Context(), definition("life-2")))
	require.NoError(t, f.reconcile(f.ctx))
	assert.NotNil(t, policy(), "its kind is another one")

	written := policy()
	require.NoError(t, f.reconcile(f.ctx))
	assert.Equal(t, written.ResourceVersion, policy().ResourceVersion)
}

// TestNoDefaultPolicyIsCreatedWhileTheInstallationIsRemoved: a replica runs for some seconds
// after its ClusterRole is gone, and what it writes then would stay.
func TestNoDefaultPolicyIsCreatedWhileTheInstallationIsRemoved(t *testing.T) {
	f := newFixture(t, nil)
	created := func() bool {
		err := f.cluster.Get(t.Context(), client.ObjectKey{Name: "default"}, &v1alpha1.VendorPolicy{})
		require.NoError(t, client.IgnoreNotFound(err))
		return err == nil
	}
	require.NoError(t, f.cluster.Delete(t.Context(), installed("")))
	require.NoError(t, f.reconcile(f.ctx))
	assert.False(t, created())
	state := &corev1.ConfigMap{}
	assert.True(t, apierrors.IsNotFound(f.cluster.Get(t.Context(), client.ObjectKey{Namespace: "embargo-system", Name: "embargo-state"}, state)))

	require.NoError(t, f.cluster.Create(t.Context(), installed("installation-2")))
	require.NoError(t, f.reconcile(f.ctx))
	assert.True(t, created(), "the next installation has its own")
	require.NoError(t, f.cluster.Get(t.Context(), client.ObjectKey{Namespace: "embargo-system", Name: "embargo-state"}, state))
	require.Len(t, state.OwnerReferences, 1)
	assert.Equal(t, types.UID("installation-2"), state.OwnerReferences[0].UID)
}

// TestTheLoopFollowsChanges: it doesn't wait for its next look.
func TestTheLoopFollowsChanges(t *testing.T) {
	f := newFixture(t, catalog.Selection{"zte"})
	changed := make(chan struct{})
	f.Triggers = []<-chan struct{}{changed}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Start(ctx) }()
	there := func() bool {
		return f.cluster.Get(t.Context(), client.ObjectKey{Name: "zte"}, &v1alpha1.RestrictedVendor{}) == nil
	}
	require.Eventually(t, there, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, f.cluster.Delete(t.Context(), f.get(t, "zte")))
	changed <- struct{}{}
	require.Eventually(t, there, 5*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}
