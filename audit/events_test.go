package audit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes/fake"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// waiting is a teller that writes nothing.
func waiting() *teller {
	return newTeller(func(context.Context, told) {}, func(told) bool { return false })
}

// names are the workloads of the events that wait.
func (t *teller) names() []string {
	names := []string{}
	for _, e := range t.queue {
		names = append(names, e.regarding.Name)
	}
	return names
}

func TestEventsOfWhatIsGoneAreWithdrawn(t *testing.T) {
	agents := func(c *cluster) {
		for i := range 3 {
			c.list(pod(about(fmt.Sprint("p", i), announced, nil), agent))
		}
	}
	for name, test := range map[string]struct {
		change func(*cluster, *teller)
		want   []string
	}{
		"nothing": {func(*cluster, *teller) {}, []string{"p0", "p1", "p2", "elsewhere"}},
		"the vendor": {func(c *cluster, _ *teller) {
			c.restrict(policies.Source{Policies: []v1alpha1.VendorPolicy{everywhere()}})
		}, []string{"elsewhere"}},
		"the policy": {func(c *cluster, _ *teller) {
			c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{acme()}})
		}, []string{"elsewhere"}},
		"a workload":        {func(c *cluster, _ *teller) { c.inventory.Remove("uid-p1") }, []string{"p0", "p2", "elsewhere"}},
		"the namespace":     {func(c *cluster, t *teller) { c.inventory.Remove("uid-p0"); t.Forget("mail") }, []string{"elsewhere"}},
		"another namespace": {func(_ *cluster, t *teller) { t.Forget("web") }, []string{"p0", "p1", "p2"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, teller := newCluster(t, later), waiting()
			agents(c)
			teller.Publish(exposure.Look{Namespace: "mail", Findings: c.look(), Now: c.now})
			elsewhere := &exposure.Finding{News: []exposure.News{exposure.Restricted}, Workload: exposure.Workload{Namespace: "web", Name: "elsewhere"}}
			teller.Publish(exposure.Look{Namespace: "web", Findings: []*exposure.Finding{elsewhere}, Now: c.now})
			require.Len(t, teller.queue, 4)
			test.change(c, teller)
			if name != "the namespace" {
				teller.Publish(exposure.Look{Namespace: "mail", Findings: c.look(), Now: c.now})
			}
			assert.ElementsMatch(t, test.want, teller.names())
		})
	}
}

// TestNoEventIsWrittenOnceItsVendorIsGone deletes the vendor while most of the events wait, and
// has the audit not look again at all.
func TestNoEventIsWrittenOnceItsVendorIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		written, gone := 0, false
		teller := newTeller(func(context.Context, told) {
			mu.Lock()
			defer mu.Unlock()
			written++
		}, func(e told) bool {
			mu.Lock()
			defer mu.Unlock()
			return gone && e.about.vendor == "acme"
		})
		c := newCluster(t, later)
		for i := range 250 {
			c.list(pod(about(fmt.Sprint("p", i), announced, nil), agent))
		}
		teller.Publish(exposure.Look{Namespace: "mail", Findings: c.look(), Now: c.now})
		go teller.tell(t.Context())
		time.Sleep(12 * time.Second)
		mu.Lock()
		gone = true
		before := written
		mu.Unlock()
		assert.InDelta(t, 60, before, 1)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, before, written)
		assert.Empty(t, teller.queue)
	})
}

// cached is a cache with some namespaces.
type cached struct {
	cache.Cache

	reader client.Reader
}

func (c cached) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	return c.reader.Get(ctx, key, o, options...)
}

func TestOutdatedEvents(t *testing.T) {
	deleting := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "deleting", Finalizers: []string{"kubernetes.io/x"}, DeletionTimestamp: new(metav1.Now())}}
	mail := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mail"}}
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	a := &Auditor{options: Options{
		Namespaces: cached{reader: fake.NewClientBuilder().WithScheme(scheme).WithObjects(mail, deleting).Build()},
		Vendor: func(name string) types.UID {
			if name == "acme" {
				return "uid"
			}
			return ""
		},
	}}
	for name, test := range map[string]struct {
		vendor, namespace string
		want              bool
	}{
		"current":                   {"acme", "mail", false},
		"in no namespace":           {"acme", "", false},
		"of no vendor":              {"", "mail", false},
		"the vendor is gone":        {"other", "mail", true},
		"the namespace is going":    {"acme", "deleting", true},
		"the namespace is gone":     {"acme", "gone", true},
		"of no vendor, and nowhere": {"", "gone", true},
	} {
		t.Run(name, func(t *testing.T) {
			e := told{about: subject{vendor: test.vendor}, regarding: &corev1.ObjectReference{Namespace: test.namespace}}
			assert.Equal(t, test.want, a.outdated(e))
		})
	}
}

// eventDesk takes events, but for what refuse says.
type eventDesk struct {
	*eventWriter
	*clientset.Clientset

	tries  int
	logged []string
}

func newEventDesk(refuse func(try int) error) (*eventDesk, logr.Logger) {
	d := &eventDesk{Clientset: clientset.NewClientset()}
	d.eventWriter = newEventWriter(d.EventsV1())
	d.retry = 0
	d.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
		d.tries++
		err := refuse(d.tries)
		return err != nil, nil, err
	})
	return d, funcr.New(func(_, args string) { d.logged = append(d.logged, args) }, funcr.Options{})
}

func (d *eventDesk) events(t *testing.T, namespace string) []eventsv1.Event {
	t.Helper()
	list, err := d.EventsV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

func TestEventsAreWrittenOneByOne(t *testing.T) {
	d, _ := newEventDesk(func(int) error { return nil })
	regarding := &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "mail", Name: "av", UID: "uid-av"}
	for _, note := range []string{"one restriction", "another"} {
		d.write(t.Context(), told{regarding: regarding, reason: reasonRestricted, note: note})
	}
	d.write(t.Context(), told{regarding: &corev1.ObjectReference{Kind: "Fleet", Name: "f"}, reason: reasonNear, note: "in no namespace"})
	events := d.events(t, "mail")
	require.Len(t, events, 2, "none is joined with another, whose note would be lost")
	assert.ElementsMatch(t, []string{"one restriction", "another"}, []string{events[0].Note, events[1].Note})
	assert.Equal(t, *regarding, events[0].Regarding)
	assert.Equal(t, "embargo", events[0].ReportingController)
	assert.NotEmpty(t, events[0].ReportingInstance)
	assert.Equal(t, corev1.EventTypeWarning, events[0].Type)
	assert.Len(t, d.events(t, metav1.NamespaceDefault), 1)
}

func TestEventsThatAreNotTaken(t *testing.T) {
	resource := schema.GroupResource{Group: "events.k8s.io", Resource: "events"}
	going := apierrors.NewForbidden(resource, "e", nil)
	going.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for name, test := range map[string]struct {
		refuse        func(try int) error
		tries, logged int
	}{
		"the namespace is being deleted": {func(int) error { return going }, 1, 0},
		"the namespace is gone":          {func(int) error { return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "mail") }, 1, 0},
		"it is written already":          {func(int) error { return apierrors.NewAlreadyExists(resource, "e") }, 1, 0},
		"there is no right":              {func(int) error { return apierrors.NewForbidden(resource, "e", nil) }, 1, 1},
		"the API server is away":         {func(int) error { return assert.AnError }, eventTries, 1},
		"the API server comes back": {func(try int) error {
			if try < 3 {
				return apierrors.NewInternalError(assert.AnError)
			}
			return nil
		}, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, log := newEventDesk(test.refuse)
			d.write(logf.IntoContext(t.Context(), log), told{regarding: &corev1.ObjectReference{Kind: "Pod", Namespace: "mail", Name: "p"}, reason: reasonRestricted})
			assert.Equal(t, test.tries, d.tries)
			assert.Len(t, d.logged, test.logged, d.logged)
		})
	}
}
