//go:build e2e && linux

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/test/load"
)

const (
	rate          = 50 // requests a second
	loadNamespace = "shop"
)

// underLoad is a load that goes on while other things happen.
type underLoad struct {
	generator *load.Generator
	records   load.Records
}

// startLoad begins to create clean and restricted workloads as a person would.
func startLoad(t *testing.T) *underLoad {
	t.Helper()
	kubectl(t, "create", "namespace", loadNamespace)
	eventually(t, 10*time.Second, func() bool {
		_, err := try(t.Context(), "-n", loadNamespace, "get", "serviceaccount", "default")
		return err == nil
	}, "Pods can be created")
	person, err := stage.cluster.UserConfig("dana", "system:masters")
	require.NoError(t, err)
	g, err := load.Start(t.Context(), load.Plan{Config: person, Namespace: loadNamespace, Rate: rate, InFlight: 10 * rate, Requests: rate * 60 * 60})
	require.NoError(t, err)
	u := &underLoad{generator: g}
	t.Cleanup(func() {
		u.stop()
		kubectl(t, "delete", "namespace", loadNamespace, "--timeout=2m")
	})
	return u
}

func (u *underLoad) stop() { u.records = u.generator.Stop() }

// assertNeverTheReason ends the load. No clean request may have failed, ever. While
// rules were enforced, no restricted one may have been let in, whoever refused it.
func (u *underLoad) assertNeverTheReason(t *testing.T, enforcedFrom, enforcedUntil time.Time) {
	t.Helper()
	u.stop()
	t.Logf("%d requests at %d a second\n%s", len(u.records), rate, u.records.Summary())
	assertNone(t, "clean requests that failed", u.records.Of(load.Clean).Where(func(r load.Record) bool { return r.Outcome != load.Admitted }))
	assertNone(t, "workloads that couldn't be deleted", u.records.Where(func(r load.Record) bool { return r.Removal != "" }))
	enforced := u.records.Between(enforcedFrom, enforcedUntil)
	assertNone(t, "restricted workloads that were let in", enforced.Of(load.Restricted).Where(func(r load.Record) bool { return !r.Outcome.Refused() }))
	assertNone(t, "suspected workloads that were let in without a warning", enforced.Of(load.Suspected).Where(func(r load.Record) bool { return r.Outcome == load.Admitted && !r.Warned }))
	assertNone(t, "clean workloads that were warned of", u.records.Of(load.Clean).Where(func(r load.Record) bool { return r.Warned }))
	assertNone(t, "requests with another outcome", u.records.Where(func(r load.Record) bool { return r.Outcome == load.Failed }))
	assertNone(t, "suspected workloads that were denied", u.records.Of(load.Suspected).Where(func(r load.Record) bool { return r.Outcome == load.Denied }))
}

// assertNone shows the first of the records that shouldn't be.
func assertNone(t *testing.T, what string, records load.Records) {
	t.Helper()
	if len(records) == 0 {
		return
	}
	for _, r := range records[:min(5, len(records))] {
		t.Log(r)
	}
	assert.Failf(t, what, "%d of them", len(records))
}
