package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Plan says what to send where.
type Plan struct {
	Config    *rest.Config // of a person who may create workloads
	Namespace string
	Rate      int // requests a second
	InFlight  int // how many may wait for an answer; more count as failed
	Requests  int // how many to send at most
}

// requestTimeout is longer than the API server waits for a webhook.
const requestTimeout = 15 * time.Second

// Generator is sending.
type Generator struct {
	plan   Plan
	client kubernetes.Interface
	slots  chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	records []Record
}

// Start begins to send, until Stop or until the plan's number of requests is reached.
// It sends to this machine and to private networks only.
func Start(ctx context.Context, plan Plan) (*Generator, error) {
	if plan.Rate < 1 || plan.InFlight < 1 || plan.Requests < 1 {
		return nil, fmt.Errorf("rate %d, in flight %d, requests %d: each must be at least 1", plan.Rate, plan.InFlight, plan.Requests)
	}
	if err := nearby(plan.Config.Host); err != nil {
		return nil, err
	}
	config := rest.CopyConfig(plan.Config)
	config.QPS, config.Timeout, config.WarningHandlerWithContext = -1, requestTimeout, warnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	g := &Generator{plan: plan, client: client, slots: make(chan struct{}, plan.InFlight), ended: make(chan struct{})}
	ctx, g.cancel = context.WithCancel(ctx)
	go g.run(ctx)
	return g, nil
}

// nearby refuses to put load on a cluster that isn't a test's own.
func nearby(host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() && !ip.IsPrivate() {
		return fmt.Errorf("%s is no address of this machine or of a private network: load is for a test's own cluster", host)
	}
	return nil
}

// Stop ends sending, waits for the answers that are due, and returns what was recorded.
func (g *Generator) Stop() Records {
	g.cancel()
	<-g.ended
	return g.Records()
}

// Records returns what was recorded so far.
func (g *Generator) Records() Records {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append(Records(nil), g.records...)
}

func (g *Generator) run(ctx context.Context) {
	defer close(g.ended)
	ticker := time.NewTicker(time.Second / time.Duration(g.plan.Rate))
	defer ticker.Stop()
	var sent sync.WaitGroup
	defer sent.Wait()
	for i := range g.plan.Requests {
		select {
		case <-ctx.Done():
			return
		case due := <-ticker.C:
			select {
			case g.slots <- struct{}{}:
				// What is under way is answered even when no more are sent.
				sent.Go(func() { g.send(context.WithoutCancel(ctx), i, due) })
			default:
				g.record(Record{Class: classOf(i), Sent: due, Outcome: Failed, Message: errTooMany.Error()})
			}
		}
	}
}

var errTooMany = errors.New("too many requests wait for an answer")

// send creates a workload, records the answer, and deletes the workload again.
func (g *Generator) send(ctx context.Context, i int, due time.Time) {
	defer func() { <-g.slots }()
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	r := Record{Class: classOf(i), Kind: kindOf(i).name, Sent: due}
	name := fmt.Sprintf("load-%d", i)
	err := kindOf(i).create(context.WithValue(ctx, warnings{}, &r.Warned), g.client, g.plan.Namespace, name, podSpec(r.Class))
	r.Took = time.Since(due)
	r.Outcome, r.Message = outcomeOf(err)
	if r.Outcome == Admitted {
		if err := kindOf(i).remove(ctx, g.client, g.plan.Namespace, name); err != nil {
			r.Removal = err.Error()
		}
	}
	g.record(r)
}

func (g *Generator) record(r Record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.records = append(g.records, r)
}

// warnings notes in a request's record that the answer warned.
type warnings struct{}

func (warnings) HandleWarningHeaderWithContext(ctx context.Context, _ int, _, _ string) {
	if warned, ok := ctx.Value(warnings{}).(*bool); ok {
		*warned = true
	}
}
