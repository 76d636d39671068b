package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	Admitted Outcome = "admitted"
	Denied   Outcome = "denied" // the webhook decided so
	Closed   Outcome = "closed" // nobody answered the API server, and the entry fails closed
	Failed   Outcome = "failed" // anything else
)

// Refused reports whether the workload wasn't let in by admission.
func (o Outcome) Refused() bool { return o == Denied || o == Closed }

// Record is one request.
type Record struct {
	Class   Class
	Kind    string
	Sent    time.Time // when it was due
	Took    time.Duration
	Outcome Outcome
	Warned  bool   // whether the answer had a warning
	Message string // of a refusal or failure
	Removal string // why an admitted one couldn't be deleted again
}

// String is for messages of tests.
func (r Record) String() string {
	return fmt.Sprintf("%s %s %s at %s after %s: %s%s", r.Class, r.Kind, r.Outcome, r.Sent.Format("15:04:05.000"), r.Took.Round(time.Millisecond), r.Message, r.Removal)
}

func outcomeOf(err error) (Outcome, string) {
	switch {
	case err == nil:
		return Admitted, ""
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "refused by cluster policy"):
		return Denied, err.Error()
	case strings.Contains(err.Error(), "failed calling webhook"):
		return Closed, err.Error()
	default:
		return Failed, err.Error()
	}
}

// Records are requests in the order of their answers.
type Records []Record

// Where returns the records for which a condition holds.
func (l Records) Where(holds func(Record) bool) Records {
	return slices.DeleteFunc(slices.Clone(l), func(r Record) bool { return !holds(r) })
}

// Between returns those that were due from one instant until before another.
func (l Records) Between(from, until time.Time) Records {
	return l.Where(func(r Record) bool { return !r.Sent.Before(from) && r.Sent.Before(until) })
}

// Of returns those of a class.
func (l Records) Of(class Class) Records {
	return l.Where(func(r Record) bool { return r.Class == class })
}

// Percentile returns how long the given share of requests took at most.
func (l Records) Percentile(share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	times := make([]time.Duration, 0, len(l))
	for _, r := range l {
		times = append(times, r.Took)
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(share*float64(len(times))))]
}

// Summary tells outcomes and latencies by class, a line each.
func (l Records) Summary() string {
	var b strings.Builder
	for _, class := range []Class{Clean, Suspected, Restricted} {
		of := l.Of(class)
		fmt.Fprintf(&b, "%-10s %6d:", class, len(of))
		for _, outcome := range []Outcome{Admitted, Denied, Closed, Failed} {
			fmt.Fprintf(&b, " %s %d", outcome, len(of.Where(func(r Record) bool { return r.Outcome == outcome })))
		}
		ms := func(share float64) time.Duration { return of.Percentile(share).Round(100 * time.Microsecond) }
		fmt.Fprintf(&b, "; took p50 %s, p99 %s, at most %s\n", ms(0.5), ms(0.99), ms(1))
	}
	return b.String()
}
