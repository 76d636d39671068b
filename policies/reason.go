package policies

import (
	"fmt"
	"strings"
	"time"

	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// Reason is the finding in a few words, for a table beside its action and image: the
// phase in force and when the use will be refused, or else the next phase; of an image
// that can't be read, why.
func (f *Finding) Reason() string {
	if f.Vendor == "" {
		return clean(f.measure.reason, 200)
	}
	var parts []string
	if f.Confidence == v1alpha1.ConfidenceSuspected {
		parts = append(parts, "suspected")
	}
	parts = append(parts, f.phaseSince())
	if f.Waiver != "" {
		return strings.Join(append(parts, fmt.Sprintf("waiver %s until %s", f.Waiver, f.WaiverEnds())), "; ")
	}
	if f.measure.expiredWaiver != "" {
		parts = append(parts, fmt.Sprintf("waiver %s expired on %s", f.measure.expiredWaiver, schedule.Date(f.measure.realTime, f.measure.waiverExpires, time.UTC)))
	}
	if next := f.refusal(); next != "" {
		parts = append(parts, next)
	}
	return strings.Join(parts, "; ")
}

func (f *Finding) phaseSince() string {
	if f.Effective == nil {
		return f.Phase
	}
	if f.early() {
		return fmt.Sprintf("%s from %s, %s early", f.Phase, schedule.Deadline(f.EvaluatedAt, *f.Effective, f.zone()), schedule.Days(int(f.measure.leadDays)))
	}
	return fmt.Sprintf("%s since %s", f.Phase, schedule.Date(f.EvaluatedAt, *f.Effective, f.zone()))
}

// refusal says when the use, or an update, will be refused, or else what comes next.
func (f *Finding) refusal() string {
	m := f.measure
	on := func(what string, at time.Time) string {
		return fmt.Sprintf("%s from %s, %s", what, moment(f.EvaluatedAt, at, f.zone()), schedule.Left(f.EvaluatedAt, at, f.zone()))
	}
	switch {
	case !m.refusedFrom.IsZero():
		return on("refused", m.refusedFrom)
	case m.updatesDenied:
		return "updates refused"
	case !m.updatesFrom.IsZero():
		return on("updates refused", m.updatesFrom)
	case f.Next != nil:
		return on("next "+f.Next.Phase, f.Next.Begins)
	default:
		return ""
	}
}

func (f *Finding) zone() *time.Location {
	if f.measure.zone == nil {
		return time.UTC
	}
	return f.measure.zone
}
