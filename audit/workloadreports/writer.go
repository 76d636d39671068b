package workloadreports

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/pacing"
)

// Options are what a Writer needs.
type Options struct {
	// Config is how the API server is reached, and how often at most.
	Config  *rest.Config
	Setting Setting
	// BanDate returns the day on which a restriction of a vendor begins to refuse new
	// images, "" where it never does.
	BanDate func(vendor, restriction string) string
	// Begun is called when all findings are to be published again: reports are written
	// from then on, in whatever kind.
	Begun func()
}

// Writer writes reports on workloads, as long as the cluster serves a kind for them.
// While it doesn't, a Writer keeps nothing.
type Writer struct {
	client  dynamic.Interface
	serves  func(context.Context, *api) (bool, error)
	setting Setting
	banDate func(vendor, restriction string) string
	begun   func()
	wake    chan struct{}
	queue   *pacing.Queue

	// switching is held for reading while a report is written, so that none is written
	// in the API before after it was switched.
	switching sync.RWMutex

	mu     sync.Mutex
	api    *api // that reports are written in; nil for none
	places map[string]*place
	counts Counts

	// Only Follow touches these.
	tidied    time.Time
	missed    bool          // whether the log says that the API that is set isn't served
	forbidden map[*api]bool // whether the log says that its reports can't be deleted
}

// place is a namespace.
type place struct {
	published bool // whether want is all that there should be, but for kinds that are
	unseen    map[schema.GroupKind]bool
	want      map[string]*wanted
	seen      map[string]seen
}

// wanted is a report as it should be: it is built again when it is written.
type wanted struct {
	findings []*exposure.Finding
	content  uint64
}

// seen is a report as it was last seen in the cluster.
type seen struct {
	content  uint64
	workload schema.GroupKind
}

// Counts are what was written so far.
type Counts struct{ Applied, Deleted, Failed int }

// New returns a Writer.
func New(o Options) (*Writer, error) {
	client, err := dynamic.NewForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	asking, err := discovery.NewDiscoveryClientForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	return newWriter(client, serves(asking.RESTClient()), o), nil
}

func newWriter(client dynamic.Interface, serves func(context.Context, *api) (bool, error), o Options) *Writer {
	return &Writer{
		client: client, serves: serves, setting: o.Setting, banDate: o.BanDate, begun: o.Begun,
		wake: make(chan struct{}, 1), queue: pacing.New(), places: map[string]*place{}, forbidden: map[*api]bool{},
	}
}

// Counts returns what was written so far.
func (w *Writer) Counts() Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

// Group returns the API group that reports are written in, "" for none.
func (w *Writer) Group() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.api == nil {
		return ""
	}
	return w.api.Group
}

// Namespaces are those with reports.
func (w *Writer) Namespaces() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := make([]string, 0, len(w.places))
	for name := range w.places {
		names = append(names, name)
	}
	return names
}

// Publish takes all that was found in a namespace.
func (w *Writer) Publish(look exposure.Look) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.api == nil {
		return
	}
	p := w.place(look.Namespace)
	want := map[string]*wanted{}
	for _, f := range look.Findings {
		name := nameOf(f.Workload.UID)
		if want[name] == nil {
			want[name] = &wanted{}
		}
		want[name].findings = append(want[name].findings, f)
	}
	p.want, p.published, p.unseen = want, true, look.Unseen
	for name, one := range want {
		one.content = fingerprint(w.build(look.Namespace, one.findings))
		w.compare(look.Namespace, name, p)
	}
	for name := range p.seen {
		w.compare(look.Namespace, name, p)
	}
	w.prune(look.Namespace)
}

func (w *Writer) place(namespace string) *place {
	p := w.places[namespace]
	if p == nil {
		p = &place{want: map[string]*wanted{}, seen: map[string]seen{}}
		w.places[namespace] = p
	}
	return p
}

// compare has a report written or deleted where it is other than it should be. One on a
// workload of a kind that can't be read stays as it is.
func (w *Writer) compare(namespace, name string, p *place) {
	want, there := p.want[name]
	last, known := p.seen[name]
	if there && (!known || last.content != want.content) || !there && known && p.published && !p.unseen[last.workload] {
		w.queue.Add(types.NamespacedName{Namespace: namespace, Name: name})
	}
}

// prune forgets a namespace of which nothing is left.
func (w *Writer) prune(namespace string) {
	if p := w.places[namespace]; p != nil && len(p.want) == 0 && len(p.seen) == 0 {
		delete(w.places, namespace)
	}
}

// Forget forgets a namespace that is gone, and its reports with it.
func (w *Writer) Forget(namespace string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.places, namespace)
}

// String names the API for the log.
func (a *api) String() string {
	if a == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s", a.GroupVersion(), a.kind)
}

// isOwn reports whether a report of Embargo's label has a name of its own, too.
func isOwn(name string) bool { return strings.HasPrefix(name, namePrefix) }
