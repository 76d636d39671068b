package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/internal/display"
	"embargo.dev/internal/escape"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Keys of the audit annotations; the API server puts the entry's name before
// them.
const (
	annotationDecision = "decision" // the strongest action
	annotationInstant  = "instant"  // when it was decided, RFC 3339
	annotationRuleSet  = "rule-set" // digest of the rule set
	annotationFindings = "findings" // JSON

	annotationWriter = "written-by" // of a waiver
)

// What is told of a decision is bounded: the API server stores any number of
// containers, and a name of a megabyte for each. A Pod rarely comes near; where one
// does, the count of the rest is there.
const (
	maxTold       = 50       // findings in an audit annotation, causes in a refusal
	maxAnnotation = 64 << 10 // bytes of findings in an audit annotation
	maxText       = 1024     // bytes of a text that somebody else wrote
	// maxWarnings is how many characters all warnings together may have: with more, the
	// API server cuts each of them to 256 and leaves out the last (apiserver,
	// pkg/endpoints/filters/warning.go).
	maxWarnings = 4096
)

// respond turns a decision into a response.
func respond(review *admissionv1.AdmissionRequest, d policies.Decision) admission.Response {
	response := admission.Allowed("")
	if d.Denied() {
		response = forbidden(review, d)
	} else if !policies.BuiltinController(policies.User{Name: review.UserInfo.Username, Groups: review.UserInfo.Groups}) {
		response.Warnings = warnings(d.Warnings())
	}
	response.AuditAnnotations = annotations(d)
	return response
}

// forbidden refuses with 403 and reason Forbidden: kubectl would hide the message
// of an Invalid status behind its causes.
func forbidden(review *admissionv1.AdmissionRequest, d policies.Decision) admission.Response {
	status := &metav1.Status{
		Status:  metav1.StatusFailure,
		Message: d.Denial(),
		Reason:  metav1.StatusReasonForbidden,
		Code:    http.StatusForbidden,
		Details: &metav1.StatusDetails{
			Name:  review.Name,
			Group: review.Resource.Group,
			Kind:  review.Resource.Resource,
		},
	}
	status.Details.Causes = causes(d.Findings)
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{Allowed: false, Result: status}}
}

// causes are the findings that deny, each with its field.
func causes(findings []policies.Finding) []metav1.StatusCause {
	var list []metav1.StatusCause
	more := 0
	for i := range findings {
		f := &findings[i]
		switch {
		case f.Action != v1alpha1.ActionDeny:
		case len(list) == maxTold:
			more++
		default:
			list = append(list, metav1.StatusCause{Type: metav1.CauseTypeForbidden, Field: escape.Text(display.Truncate(f.Field, maxText)), Message: f.Message})
		}
	}
	if more > 0 {
		list = append(list, metav1.StatusCause{Type: metav1.CauseTypeForbidden, Message: fmt.Sprintf("and %d more", more)})
	}
	return list
}

// warnings are the lines in a form that the API server passes on whole: it drops one
// with a control character without a word.
func warnings(lines []string) []string {
	const rest = "and %d more; the audit annotation has them"
	room := maxWarnings - len(rest)
	var kept []string
	for i, line := range lines {
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(line, "\uFFFD"))
		if room -= utf8.RuneCountInString(line); room < 0 {
			return append(kept, fmt.Sprintf(rest, len(lines)-i))
		}
		kept = append(kept, line)
	}
	return kept
}

func annotations(d policies.Decision) map[string]string {
	values := map[string]string{
		annotationDecision: string(d.Action),
		annotationInstant:  d.Instant.String(),
		annotationRuleSet:  d.RuleSet,
	}
	if len(d.Findings) > 0 {
		values[annotationFindings] = findingsJSON(d.Findings)
	}
	return values
}

// findingsJSON writes the findings, and how many more there are.
func findingsJSON(findings []policies.Finding) string {
	var text bytes.Buffer
	text.WriteString(`{"findings":[`)
	told := 0
	for _, f := range findings[:min(len(findings), maxTold)] {
		f.Field, f.Image = display.Truncate(f.Field, maxText), display.Truncate(f.Image, maxText)
		one, err := json.Marshal(f)
		if err != nil {
			return fmt.Sprintf("findings can't be written: %v", err)
		}
		one = escape.JSON(one)
		if text.Len()+len(one) > maxAnnotation {
			break
		}
		if told > 0 {
			text.WriteByte(',')
		}
		text.Write(one)
		told++
	}
	text.WriteByte(']')
	if more := len(findings) - told; more > 0 {
		fmt.Fprintf(&text, `,"more":%d`, more)
	}
	text.WriteByte('}')
	return text.String()
}
