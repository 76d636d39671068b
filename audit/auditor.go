package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/audit/reports"
	"embargo.dev/audit/workloadreports"
	"embargo.dev/policies"
)

// Options are what an Auditor needs.
type Options struct {
	// Config is how the API server is reached.
	Config *rest.Config
	Scheme *runtime.Scheme
	// Namespaces has the metadata of namespaces, and of what tells which kinds there are.
	Namespaces cache.Cache
	// Home is Embargo's namespace, in which what is in no namespace is reported.
	Home  string
	Clock func() time.Time
	// Rules returns the rule set in force, nil before the first is compiled.
	Rules func() *policies.RuleSet
	// Vendor returns the UID of a RestrictedVendor of that rule set; "" where it has
	// none of the name.
	Vendor func(name string) types.UID
	// Granted returns when a waiver of that rule set was written, zero where it has none of
	// the name.
	Granted func(waiver string) time.Time
	// Resources returns those beside the built-in workloads that may embed pod
	// templates; false while nobody has looked yet.
	Resources func() ([]Resource, bool)
	// ReportAPI says in which kinds the findings are written beside VendorReports.
	ReportAPI workloadreports.Setting
	// RulesChanged and ResourcesChanged tell that there is something new.
	RulesChanged, ResourcesChanged <-chan struct{}
}

// Resource is a resource with pod templates.
type Resource struct {
	Kind     schema.GroupVersionKind
	Resource string // plural
	// ClusterScoped is set by whoever knows that its objects are in no namespace.
	ClusterScoped bool
}

// Sink takes the findings of namespaces, to write them somewhere.
type Sink interface {
	// Publish takes all that was found in a namespace. It must not block, nor change
	// anything of it.
	Publish(look exposure.Look)
	// Forget says that a namespace is gone.
	Forget(namespace string)
}

// Auditor audits. It runs on the leader.
type Auditor struct {
	options Options
	sources *sources
	reports *reports.Reports
	others  *workloadreports.Writer
	teller  *teller
	sinks   []Sink
	wake    chan struct{}
	changed chan struct{}

	mu        sync.Mutex
	inventory *inventory.Inventory
	feeds     map[schema.GroupVersionResource]*following
	marked    map[string]bool    // namespaces to be looked at that may have no objects
	results   map[string]*result // of namespaces with findings
	ruleSet   string             // digest of the one that everything was last looked at with
	full      time.Time          // when that was
	began     time.Time          // when the audit began
	startup   time.Duration      // how long it took until everything was looked at first
	duration  time.Duration      // how long it took
	due       time.Time          // when everything is to be looked at again
	tally     *policies.Tally
	telling   bool      // whether it is about to be told that the tally changed
	told      time.Time // when that was told last
}

// New returns an Auditor.
func New(o Options) (*Auditor, error) {
	from, err := newSources(o.Config)
	if err != nil {
		return nil, fmt.Errorf("the audit's clients: %w", err)
	}
	config := rest.CopyConfig(o.Config)
	config.QPS, config.Burst = queriesPerSecond, burst
	writer, err := client.New(config, client.Options{Scheme: o.Scheme})
	if err != nil {
		return nil, fmt.Errorf("the audit's client for reports: %w", err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the audit's client for events: %w", err)
	}
	a := &Auditor{
		options: o, sources: from,
		wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		inventory: inventory.New(), feeds: map[schema.GroupVersionResource]*following{}, marked: map[string]bool{}, results: map[string]*result{},
	}
	a.teller = newTeller(newEventWriter(clientset.EventsV1()).write, a.outdated)
	a.reports = reports.New(writer, o.Vendor, a.namespaceUID)
	a.others, err = workloadreports.New(workloadreports.Options{Config: config, Setting: o.ReportAPI, BanDate: a.banDate, Begun: a.again})
	if err != nil {
		return nil, fmt.Errorf("the audit's client for reports on workloads: %w", err)
	}
	a.sinks = []Sink{a.reports, a.others, a.teller}
	return a, nil
}

// NeedLeaderElection says that one replica audits: the others need no memory for it.
func (a *Auditor) NeedLeaderElection() bool { return true }

// Changed receives after the tally changed.
func (a *Auditor) Changed() <-chan struct{} { return a.changed }

// Tally counts what was found; nil where this replica doesn't audit, or hasn't yet.
func (a *Auditor) Tally() *policies.Tally {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tally
}

const (
	// settle is how long changes are gathered before they are looked at.
	settle = 200 * time.Millisecond
	// resync is how often everything is looked at without any cause.
	resync = 10 * time.Minute
	// tellEvery is how often it is told at most that the tally changed.
	tellEvery = time.Second
)

// Start audits until the context ends.
func (a *Auditor) Start(ctx context.Context) error {
	a.began = time.Now()
	if err := a.watchNamespaces(ctx); err != nil {
		return err
	}
	if err := a.others.Watch(ctx, a.options.Namespaces); err != nil {
		return err
	}
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group.Go(func() { a.reports.Write(ctx) })
	group.Go(func() { a.others.Write(ctx) })
	group.Go(func() { a.others.Follow(ctx) })
	group.Go(func() { a.teller.tell(ctx) })
	for _, k := range builtin {
		a.follow(ctx, k, &group)
	}
	a.follow(ctx, nodeKind, &group)
	a.follow(ctx, reportKind, &group)
	collecting.Store(a)
	defer collecting.Store(nil)
	for {
		a.followResources(ctx, &group)
		pause := a.look(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-a.wake:
			wait(ctx, settle)
		case <-a.options.RulesChanged:
		case <-a.options.ResourcesChanged:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (a *Auditor) fire() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// publishTally takes a new tally, and tells whoever writes it where it is another.
func (a *Auditor) publishTally(now *policies.Tally) {
	if a.tally != nil && equality.Semantic.DeepEqual(a.tally, now) {
		return
	}
	a.tally = now
	if a.telling {
		return
	}
	a.telling = true
	time.AfterFunc(time.Until(a.told.Add(tellEvery)), a.tellChanged)
}

// tellChanged tells that the tally changed.
func (a *Auditor) tellChanged() {
	a.mu.Lock()
	a.telling, a.told = false, time.Now()
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default:
	}
}
