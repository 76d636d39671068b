package builtin

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// TestOneVendorKeepsNothingElseFromBeingInstalled: what is restricted must not hang on
// the vendor that is first in the list.
func TestOneVendorKeepsNothingElseFromBeingInstalled(t *testing.T) {
	scheme := runtime.NewScheme()
	require.NoError(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	applied := 0
	c := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
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
