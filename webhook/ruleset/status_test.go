package ruleset

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/registration"
)

// desk is a StatusWriter of three policies, with what becomes of its writes.
type desk struct {
	*StatusWriter

	state  registration.State
	fails  map[string]error // by the name of the policy
	writes int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, errors.Join(clientgoscheme.AddToScheme(scheme), metav1.AddMetaToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	var source policies.Source
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, name := range []string{"a", "b", "c"} {
		p := v1alpha1.VendorPolicy{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1}, Spec: v1alpha1.VendorPolicySpec{Audiences: []string{"us-persons"}}}
		source.Policies = append(source.Policies, p)
		builder = builder.WithObjects(&p).WithStatusSubresource(&p)
	}
	rules, problems := policies.Compile(source)
	require.Empty(t, problems)
	d := &desk{state: registration.State{Outcome: registration.InPlace, RuleSet: rules.Digest(), Prefilter: "1 token"}}
	c := builder.WithInterceptorFuncs(interceptor.Funcs{
		SubResourceUpdate: func(ctx context.Context, c client.Client, of string, object client.Object, o ...client.SubResourceUpdateOption) error {
			d.writes++
			if err := d.fails[object.GetName()]; err != nil {
				return err
			}
			return c.SubResource(of).Update(ctx, object, o...)
		},
	}).Build()
	keeper := NewKeeper(nil)
	keeper.compiled.Store(&Compiled{Rules: rules, Source: source})
	d.StatusWriter = NewStatusWriter(keeper, c, time.Now, Circumstances{
		Registration: func() registration.State { return d.state },
		Skew:         func() (bool, time.Duration) { return false, 0 },
		Resources:    func() []string { return []string{"pods"} },
		Tally:        func() *policies.Tally { return nil },
	})
	return d
}

func TestNoStatusIsWrittenWhereNothingChanged(t *testing.T) {
	d := newDesk(t)
	assert.Equal(t, resync, d.write(t.Context()))
	assert.Equal(t, 3, d.writes)
	assert.Equal(t, resync, d.write(t.Context()))
	assert.Equal(t, 3, d.writes)

	covered := d.state
	d.state = registration.State{Reason: "the leader has not looked yet"}
	d.circumstances.Resources = func() []string { return nil }
	d.write(t.Context())
	assert.Equal(t, 3, d.writes, "another leads")
	d.state = covered
	d.write(t.Context())
	assert.Equal(t, 3, d.writes, "it has looked")
}

func TestWhatCannotBeWrittenIsTriedAgain(t *testing.T) {
	d := newDesk(t)
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "vendorpolicies"}, "a", errors.New("stale"))
	d.fails = map[string]error{"a": conflict, "b": errors.New("etcd is on holiday")}
	assert.Equal(t, retryAfter, d.write(t.Context()), "a failure isn't hidden behind a conflict")
	delete(d.fails, "b")
	assert.Equal(t, staleAfter, d.write(t.Context()), "the cache is behind")
	d.fails = nil
	assert.Equal(t, resync, d.write(t.Context()))
	assert.Equal(t, 3+2+1, d.writes, "only what was missing")
}
