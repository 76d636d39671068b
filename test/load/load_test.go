package load

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

func TestLoadStaysNearby(t *testing.T) {
	for _, host := range []string{"https://203.0.113.7:6443", "https://cluster.example.com", "https://localhost:6443"} {
		_, err := Start(t.Context(), Plan{Config: &rest.Config{Host: host}, Rate: 1, InFlight: 1, Requests: 1})
		require.ErrorContains(t, err, "a test's own cluster", host)
	}
}

func TestNobodyAnsweringIsAFailureOfEachRequest(t *testing.T) {
	g, err := Start(t.Context(), Plan{Config: &rest.Config{Host: "http://127.0.0.1:1"}, Namespace: "default", Rate: 100, InFlight: 10, Requests: 20})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(g.Records()) == 20 }, 10*time.Second, 10*time.Millisecond, "no more than planned")
	records := g.Stop()
	assert.Len(t, records.Where(func(r Record) bool { return r.Outcome == Failed }), 20)
	assert.Len(t, records.Of(Clean), 12)
	assert.Len(t, records.Of(Restricted), 6)
	assert.Len(t, records.Of(Suspected), 2)
}

func TestEveryClassComesInEveryKind(t *testing.T) {
	seen := map[Class]map[string]bool{}
	for i := range len(mix) * len(kinds) {
		class := classOf(i)
		if seen[class] == nil {
			seen[class] = map[string]bool{}
		}
		seen[class][kindOf(i).name] = true
	}
	require.Len(t, seen, 3)
	for class, kindsSeen := range seen {
		assert.Len(t, kindsSeen, len(kinds), class)
	}
}

func TestOutcomesAreToldApart(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for want, err := range map[Outcome]error{
		Admitted: nil,
		Denied:   apierrors.NewForbidden(pods, "load-1", errors.New(`admission webhook "introductions.embargo.dev" denied the request: refused by cluster policy`)),
		Closed:   apierrors.NewInternalError(errors.New(`failed calling webhook "introductions.embargo.dev": connection refused`)),
		Failed:   apierrors.NewForbidden(pods, "load-1", errors.New("exceeded quota")),
	} {
		outcome, _ := outcomeOf(err)
		assert.Equal(t, want, outcome)
	}
}

func TestPercentiles(t *testing.T) {
	var l Records
	for i := range 100 {
		l = append(l, Record{Class: Clean, Took: time.Duration(100-i) * time.Millisecond})
	}
	assert.Equal(t, 51*time.Millisecond, l.Percentile(0.5))
	assert.Equal(t, 100*time.Millisecond, l.Percentile(0.99))
	assert.Zero(t, Records(nil).Percentile(0.5))
	assert.Contains(t, l.Summary(), "clean         100: admitted 0")
}
