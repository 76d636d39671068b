package policies

import (
	"fmt"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

// Reason is the finding in a few words, for a table beside its action and image: the
// phase in force and when the use will be refused or, of an image that can't be read, why.
func (f *Finding) Reason() string {
	if f.Vendor == "" {
		return clean(f.measure.reason, 200)
	}
	if f.Waiver != "" {
		return fmt.Sprintf("waiver %s until %s", f.Waiver, deadline(f.EvaluatedAt, f.measure.waiverExpires, time.UTC))
	}
	parts := []string{f.phaseSince()}
	if f.Confidence == v1alpha1.ConfidenceSuspected {
		parts = append([]string{"suspected"}, parts...)
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
	on := date(*f.Effective, f.zone())
	if f.early() {
		return fmt.Sprintf("%s from %s, %s early", f.Phase, on, days(int(f.measure.leadDays)))
	}
	return fmt.Sprintf("%s since %s", f.Phase, on)
}

// refusal says when the use, or an update, will be refused.
func (f *Finding) refusal() string {
	m := f.measure
	on := func(what string, at time.Time) string {
		return fmt.Sprintf("%s from %s, %s", what, moment(f.EvaluatedAt, at, m.zone), remaining(f.EvaluatedAt, at, m.zone))
	}
	switch {
	case !m.refusedFrom.IsZero():
		return on("refused", m.refusedFrom)
	case m.updatesDenied:
		return "updates refused"
	case !m.updatesFrom.IsZero():
		return on("updates refused", m.updatesFrom)
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
