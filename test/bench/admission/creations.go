package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// creation is how long it takes to create a Pod, case by case.
type creation struct {
	Patterns    int                `json:"patterns"`
	Concurrency int                `json:"concurrency"`
	Prefilter   string             `json:"prefilter"`
	Cases       map[string]latency `json:"cases"`
	// Asked is how often Embargo was asked about a clean Pod.
	Asked float64 `json:"asked"`
}

// latency is in milliseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// The cases, in the order of the table.
var cases = []struct{ name, namespace, image string }{
	{"no webhook", none, cleanImage},
	{"no-op webhook", noop, cleanImage},
	{"Embargo, clean", embargo, cleanImage},
	{"Embargo, suspect", embargo, suspectImage},
}

// Images of 85 characters, as real names with a digest have. The suspect one is warned of, so that
// the Pod is created.
var (
	cleanImage   = "registry.example.org/team/service:v1.2.3-" + strings.Repeat("a", 44)
	suspectImage = "registry.example.com/vendor-3-23757/agent:" + strings.Repeat("a", 43)
)

func podOf(namespace, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bench"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: cleanImage}, {Name: "b", Image: image}}},
	}
}

// creations creates Pods of all cases in turn, in random order, with so many creators at
// a time, without storing them.
func (b *bench) creations(ctx context.Context, patterns, concurrency, rounds int) (*creation, error) {
	if err := b.createAll(ctx, 50, nil); err != nil { // the first requests pay for what is compiled
		return nil, err
	}
	before, err := b.asked(ctx)
	if err != nil {
		return nil, err
	}
	var (
		mu      sync.Mutex
		times   = map[string][]time.Duration{}
		workers sync.WaitGroup
		errs    = make(chan error, concurrency)
	)
	record := func(name string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		times[name] = append(times[name], took)
	}
	for range concurrency {
		workers.Go(func() { errs <- b.createAll(ctx, rounds/concurrency, record) })
	}
	workers.Wait()
	for range concurrency {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	after, err := b.asked(ctx)
	if err != nil {
		return nil, err
	}
	c := &creation{Patterns: patterns, Concurrency: concurrency, Cases: map[string]latency{}}
	for name, all := range times {
		c.Cases[name] = latencyOf(all)
	}
	c.Asked = after - before - float64(len(times[cases[3].name]))
	return c, nil
}

func (b *bench) createAll(ctx context.Context, rounds int, record func(string, time.Duration)) error {
	for range rounds {
		for _, i := range rand.Perm(len(cases)) {
			c := cases[i]
			pod := podOf(c.namespace, c.image)
			start := time.Now()
			if err := b.client.Create(ctx, pod, client.DryRunAll); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if record != nil {
				record(c.name, time.Since(start))
			}
		}
	}
	return nil
}

func latencyOf(all []time.Duration) latency {
	slices.Sort(all)
	at := func(share float64) float64 {
		return float64(all[int(share*float64(len(all)-1))].Microseconds()) / 1000
	}
	return latency{P50: at(0.5), P99: at(0.99)}
}
