// Package soundness_test compares the prefilter with the evaluator on a real API server:
// what it doesn't send to a webhook must have no finding.
package soundness_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/workload"
	"embargo.dev/test/condition"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/random"
)

var (
	requests = flag.Int("requests", 1500, "how many workloads are created, in dry runs")
	seed     = flag.Int("seed", 1, "of the first rule set; each one after it has the next")
)

// perRuleSet is how many workloads are tried with a rule set: changing the expression
// costs the API server as much as some dozens of them.
const perRuleSet = 100

// batch is a rule set with workloads that often meet it.
type batch struct {
	list      *random.List
	workloads []random.Workload
}

var batches = rapid.Custom(func(t *rapid.T) batch {
	b := batch{list: random.NewList(t)}
	for i := range perRuleSet {
		b.workloads = append(b.workloads, b.list.NewWorkload(t, fmt.Sprint("w", i)))
	}
	return b
})

// TestSoundOnARealAPIServer creates random workloads under the expressions of random
// rule sets. make soundness tries many more than make test.
func TestSoundOnARealAPIServer(t *testing.T) {
	logf.SetLogger(logr.Discard())
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Progress:       os.Stderr,
		APIServerFlags: []string{"--max-requests-inflight=0", "--enable-priority-and-fairness=false"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, plane.Stop()) })
	c, err := client.New(plane.Config(), client.Options{})
	require.NoError(t, err)
	trial := &trial{witness: newWitness(t), client: c}
	for i := *seed; trial.tried.Load() < int64(*requests); i++ {
		trial.run(t, batches.Example(i))
	}
	t.Logf("%d rule sets, %d without a prefilter; %d workloads, %d with findings, %d sent, %d refused by the API server itself",
		trial.ruleSets, trial.tooBroad, trial.tried.Load(), trial.found.Load(), trial.sent.Load(), trial.invalid.Load())
	assert.Greater(t, trial.found.Load(), trial.tried.Load()*3/10, "the workloads are to be worth the test")
	assert.Less(t, trial.sent.Load(), trial.tried.Load(), "a filter that sends everything is none")
}

// trial counts what was tried.
type trial struct {
	witness *witness
	client  client.Client

	ruleSets, tooBroad          int
	tried, found, sent, invalid atomic.Int64
}

func (r *trial) run(t *testing.T, b batch) {
	t.Helper()
	r.ruleSets++
	p, err := prefilter.New(b.list.RuleSet)
	if err != nil {
		r.tooBroad++
		return
	}
	r.witness.register(t, r.client, p.Expression)
	twin := condition.Compile(t, p.Expression)
	var creating sync.WaitGroup
	queue := make(chan random.Workload)
	for range 4 {
		creating.Go(func() {
			for w := range queue {
				r.create(t, b.list.RuleSet, twin, w)
			}
		})
	}
	for _, w := range b.workloads {
		queue <- w
	}
	close(queue)
	creating.Wait()
}

func (r *trial) create(t *testing.T, rules *policies.RuleSet, twin condition.Condition, w random.Workload) {
	r.tried.Add(1)
	err := r.client.Create(t.Context(), w.Object, client.DryRunAll)
	switch {
	case apierrors.IsInvalid(err):
		r.invalid.Add(1) // before any webhook is asked
		return
	case err != nil:
		t.Errorf("creating a %s: %v", w.Kind.Kind, err)
		return
	}
	// Create leaves the object as the API server takes it: without fields that its release
	// doesn't know.
	decision := decide(t, rules, w)
	sent := r.witness.saw(w)
	if sent {
		r.sent.Add(1)
	}
	if len(decision.Findings) > 0 {
		r.found.Add(1)
		assert.True(t, sent, "%s has findings and was not sent: %+v", w.Kind.Kind, decision.Findings)
	}
	assert.Equal(t, twin.Holds(t, &admissionv1.AdmissionRequest{}, w.Object, nil), sent, "the API server decides as its CEL environment does: %+v", w.Object)
}

func decide(t require.TestingT, rules *policies.RuleSet, w random.Workload) policies.Decision {
	raw, err := json.Marshal(w.Object)
	require.NoError(t, err)
	object, err := workload.Decode(w.Kind.GroupKind(), raw)
	require.NoError(t, err)
	return rules.Evaluate(policies.Request{
		Operation: policies.Create, Kind: w.Kind.GroupKind(), Namespace: policies.Namespace{Name: "default"}, Object: object,
	}, policies.At(time.Now()))
}
