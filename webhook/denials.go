package webhook

import (
	"cmp"
	"context"
	"strings"
	"sync/atomic"
	"unicode"

	"golang.org/x/time/rate"
	admissionv1 "k8s.io/api/admission/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

const (
	// deniedPerSecond and deniedBurst bound the log lines: anybody who reaches the port may
	// send reviews that are refused.
	deniedPerSecond, deniedBurst = 50, 200
	// maxLoggedFindings and maxLoggedText bound one line.
	maxLoggedFindings = 10
	maxLoggedText     = 256
)

// denialLog writes a line for each refusal, at a bounded rate.
type denialLog struct {
	limiter    *rate.Limiter
	suppressed atomic.Int64 // lines since the last one that was written
}

// denials is the log of this process, whatever the number of handlers.
var denials = &denialLog{limiter: rate.NewLimiter(deniedPerSecond, deniedBurst)}

// deniedFinding is as much of a finding as the log has.
type deniedFinding struct {
	Container   string       `json:"container"`
	Image       string       `json:"image"`
	Vendor      string       `json:"vendor"`
	Restriction string       `json:"restriction"`
	Phase       string       `json:"phase"`
	Use         policies.Use `json:"use"`
}

// write logs a refusal: who wanted to bring in what, and by which rule that was refused.
func (l *denialLog) write(ctx context.Context, review *admissionv1.AdmissionRequest, object string, d policies.Decision) {
	if !l.limiter.Allow() {
		l.suppressed.Add(1)
		suppressedLines.Inc()
		return
	}
	findings, more := deniedFindings(d.Findings)
	values := []any{
		"user", printable(review.UserInfo.Username), "operation", operationLabel(review.Operation),
		"namespace", printable(review.Namespace), "kind", printable(review.Kind.Kind), "name", printable(cmp.Or(review.Name, object)),
		"findings", findings, "ruleSet", d.RuleSet, "instant", d.Instant.String(),
	}
	if more > 0 {
		values = append(values, "moreFindings", more)
	}
	if lines := l.suppressed.Swap(0); lines > 0 {
		values = append(values, "suppressedLines", lines)
	}
	logf.FromContext(ctx).Info("restricted image refused", values...)
}

// deniedFindings returns the first findings that deny, and how many more there are.
func deniedFindings(findings []policies.Finding) (denied []deniedFinding, more int) {
	for i := range findings {
		f := &findings[i]
		switch {
		case f.Action != v1alpha1.ActionDeny:
		case len(denied) == maxLoggedFindings:
			more++
		default:
			denied = append(denied, deniedFinding{
				Container: printable(f.Container), Image: printable(f.Image),
				Vendor: f.Vendor, Restriction: f.Restriction, Phase: f.Phase, Use: f.Use,
			})
		}
	}
	return denied, more
}

// printable returns a text that somebody else wrote in a form that can't disguise itself in a
// terminal: without control characters and those that change the direction of writing.
func printable(text string) string {
	if len(text) > maxLoggedText {
		text = strings.ToValidUTF8(text[:maxLoggedText], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
