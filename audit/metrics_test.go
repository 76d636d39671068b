package audit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"embargo.dev/audit/exposure"
	"embargo.dev/audit/inventory"
	"embargo.dev/audit/reports"
	"embargo.dev/audit/workloadreports"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// collected returns the samples of an auditor's metrics, by name and labels.
func collected(t *testing.T, a *Auditor) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.CollectorFunc(a.collect))
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, sample := range family.GetMetric() {
			name := []string{family.GetName()}
			for _, pair := range sample.GetLabel() {
				name = append(name, pair.GetValue())
			}
			values[strings.Join(name, ",")] = sample.GetGauge().GetValue() + sample.GetCounter().GetValue()
		}
	}
	return values
}

// TestMetricsDontGrowWithTheCluster counts the series with few and with many workloads.
func TestMetricsDontGrowWithTheCluster(t *testing.T) {
	scheme := runtime.NewScheme()
	require.NoError(t, v1alpha1.AddToScheme(scheme))
	number := map[int]int{}
	for _, size := range []int{1, 1000} {
		c := newCluster(t, ban.Add(-time.Hour))
		for i := range size {
			image := fmt.Sprintf("registry.acme.example/agent-%d:%d", i, i)
			c.list(pod(about(fmt.Sprint("p", i), announced, nil), image))
		}
		a := &Auditor{
			inventory: c.inventory, feeds: map[schema.GroupVersionResource]*following{}, results: map[string]*result{}, teller: waiting(),
			reports: reports.New(fake.NewClientBuilder().WithScheme(scheme).Build(), func(string) types.UID { return "u" }, func(string) types.UID { return "n" }),
			others:  &workloadreports.Writer{},
			options: Options{Clock: func() time.Time { return c.now }, Rules: func() *policies.RuleSet { return c.rules }},
			full:    c.now.Add(-5 * time.Second),
		}
		a.results["mail"] = summarise(c.look(), c.now)
		values := collected(t, a)
		number[size] = len(values)
		assert.InDelta(t, size, values["embargo_findings,Audit,announced,order,acme"], 0)
		assert.NotContains(t, values, "embargo_findings_arrived_after_ban,order,acme", "it was there before")
		assert.InDelta(t, time.Hour.Seconds(), values["embargo_next_transition_seconds"], 0)
		assert.InDelta(t, 5, values["embargo_audit_age_seconds"], 0)
		assert.InDelta(t, size, values["embargo_audited_objects"], 0)
	}
	assert.Equal(t, number[1], number[1000])
}

func TestCountsForTheStatusOfEmbargosKinds(t *testing.T) {
	c := newCluster(t, later, waiver(later.Add(time.Hour)))
	d := deployment("av", agent, announced)
	c.list(d, replicaSet("av-1", agent, announced, d, 1), pod(about("odd", announced, nil), "UPPER/x"))
	r := summarise(c.look(), c.now)
	assert.Equal(t, map[string]policies.VendorTally{"acme": {Workloads: 1, Namespaces: 1}}, r.tally.Vendors)
	assert.Equal(t, map[string]v1alpha1.ActionCounts{"default": {Audit: 1, Warn: 1}}, r.tally.Policies)
	assert.Equal(t, map[string]int32{"replacing": 1}, r.tally.Waivers)
	sum := policies.NewTally()
	sum.Add(r.tally)
	sum.Add(r.tally)
	assert.Equal(t, policies.VendorTally{Workloads: 2, Namespaces: 2}, sum.Vendors["acme"])
	assert.Equal(t, v1alpha1.ActionCounts{Audit: 2, Warn: 2}, sum.Policies["default"])
}

// TestEventsAreFewAndShort tells of a workload with many images.
func TestEventsAreFewAndShort(t *testing.T) {
	c := newCluster(t, later)
	p := pod(about("p", announced, nil), agent)
	for i := range 20 {
		extra := p.Spec.Containers[0]
		extra.Name, extra.Image = fmt.Sprint("c", i), fmt.Sprintf("registry.acme.example/agent:%d", i)
		p.Spec.Containers = append(p.Spec.Containers, extra)
	}
	c.list(p)
	teller := waiting()
	teller.Publish(exposure.Look{Namespace: "mail", RuleSet: "", Findings: c.look(), Now: c.now})
	require.Len(t, teller.queue, 1, "one for the workload and the restriction")
	first, _ := teller.take()
	assert.Equal(t, reasonRestricted, first.reason)
	assert.Equal(t, "Pod", first.regarding.Kind)
	assert.LessOrEqual(t, len(first.note), maxNote)
	teller.Publish(exposure.Look{Namespace: "mail", RuleSet: "", Findings: c.look(), Now: c.now})
	assert.Empty(t, teller.queue, "nothing is told twice")

	long := &exposure.Finding{News: []exposure.News{exposure.Restricted}}
	long.Message = fmt.Sprintf("%2000d", 1)
	var all []*exposure.Finding
	for i := range maxEvents + 5 {
		long.Workload.Name = strconv.Itoa(i)
		one := *long
		all = append(all, &one)
	}
	teller.Publish(exposure.Look{Namespace: "mail", RuleSet: "", Findings: all, Now: c.now})
	assert.Equal(t, 5, teller.droppedSoFar())
	assert.Len(t, teller.queue[0].note, maxNote)
}

// TestWhatArrivedAfterABanStandsOut in the metrics and in the event, at the first look.
func TestWhatArrivedAfterABanStandsOut(t *testing.T) {
	c := newCluster(t, later)
	c.list(pod(about("late", later.Add(-time.Minute), nil), agent), pod(about("early", announced, nil), agent))
	findings := c.look()
	a := &Auditor{results: map[string]*result{"mail": summarise(findings, c.now), "web": summarise(findings, c.now)}}
	assert.Equal(t, map[lateSeries]int{{"acme", "order"}: 2}, a.lateFindings())

	teller := waiting()
	teller.Publish(exposure.Look{Namespace: "mail", Findings: findings, Now: c.now})
	require.Len(t, teller.queue, 2)
	for _, e := range teller.queue {
		assert.Equal(t, reasonRestricted, e.reason)
		assert.Equal(t, e.regarding.Name == "late", strings.HasPrefix(e.note, "arrived after the ban: the image has been here since "), e.note)
	}
}

func TestACleanObjectTakesLittleMemory(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("web", "nginx", announced)
	rs := replicaSet("web-1", "nginx", announced, d, 1)
	c.list(d, rs)
	c.list(pods(2, rs, "nginx", announced)...)
	bodies := map[*inventory.Body]bool{}
	c.inventory.Objects(func(o *inventory.Object) bool {
		bodies[o.Body] = true
		return true
	})
	assert.Len(t, bodies, 2, "replicas share what they carry, and so do templates")
	assert.Empty(t, c.inventory.Namespace("mail").Suspects)
}
