package builtin

import (
	"context"
	"errors"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// TestAVendorThatIsNoLongerNamedStays: what is restricted must not change by an omission.
func TestAVendorThatIsNoLongerNamedStays(t *testing.T) {
	scheme := runtime.NewScheme()
	require.NoError(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	dropped := &v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "dropped", Labels: map[string]string{listLabel: listBuiltin}}}
	own := &v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: "own"}}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(dropped, own).Build()
	var log []string
	ctx := logf.IntoContext(t.Context(), funcr.New(func(_, line string) { log = append(log, line) }, funcr.Options{}))
	i := &Installer{Client: c, Vendors: []string{"kaspersky"}}
	require.NoError(t, i.warnOfDropped(ctx))
	require.Len(t, log, 1)
	assert.Contains(t, log[0], "WARNING")
	assert.Contains(t, log[0], "kubectl delete restrictedvendor dropped")
	assert.NoError(t, c.Get(ctx, client.ObjectKeyFromObject(dropped), dropped))
}

// TestOneVendorKeepsNothingElseFromBeingInstalled: what is restricted must not hang on
// the vendor that is first in the list.
func TestOneVendorKeepsNothingElseFromBeingInstalled(t *testing.T) {
	scheme := runtime.NewScheme()
	require.NoError(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	applied := 0
	c := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if _, state := o.(*corev1ac.ConfigMapApplyConfiguration); state {
				return c.Apply(ctx, o, options...)
			}
			applied++
			if applied == 1 {
				return errors.New("unknown field")
			}
			return nil
		},
	}).Build()
	i := &Installer{Client: c, Vendors: []string{All}, DefaultPolicy: true, Marker: Marker{Client: c, Namespace: "embargo-system", Name: "embargo-state"}}
	require.ErrorContains(t, i.install(t.Context()), "unknown field")
	assert.Len(t, catalog.Names(), applied)
	var policy v1alpha1.VendorPolicy
	require.NoError(t, c.Get(t.Context(), client.ObjectKey{Name: "default"}, &policy))
	require.NoError(t, i.install(t.Context()), "it is tried again")

	require.NoError(t, c.Delete(t.Context(), &policy))
	require.NoError(t, i.install(t.Context()))
	assert.Error(t, c.Get(t.Context(), client.ObjectKey{Name: "default"}, &policy), "it stays deleted")
}
