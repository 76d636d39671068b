package webhook

import (
	"cmp"
	"context"
	"strings"
	"unicode"

	admissionv1 "k8s.io/api/admission/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// maxLoggedFindings and maxLoggedText bound the line about a refusal.
const (
	maxLoggedFindings = 10
	maxLoggedText     = 256
)

// deniedFinding is as much of a finding as the log has.
type deniedFinding struct {
	Container   string       `json:"container"`
	Image       string       `json:"image"`
	Vendor      string       `json:"vendor"`
	Restriction string       `json:"restriction"`
	Phase       string       `json:"phase"`
	Use         policies.Use `json:"use"`
}

// logDenial logs a refusal: who wanted to bring in what, and by which rule that was refused.
func logDenial(ctx context.Context, review *admissionv1.AdmissionRequest, object string, d policies.Decision) {
	findings, more := deniedFindings(d.Findings)
	values := []any{
		"user", printable(review.UserInfo.Username), "operation", operationLabel(review.Operation),
		"namespace", printable(review.Namespace), "kind", printable(review.Kind.Kind), "name", printable(cmp.Or(review.Name, object)),
		"findings", findings, "ruleSet", d.RuleSet, "instant", d.Instant.String(),
	}
	if more > 0 {
		values = append(values, "moreFindings", more)
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
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, display.Truncate(text, maxLoggedText))
}
