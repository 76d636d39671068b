package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

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
)

// maxAnnotated bounds the findings in an audit annotation. A Pod rarely has
// more; where one does, the count of the rest is there.
const maxAnnotated = 50

// respond turns a decision into a response.
func respond(review *admissionv1.AdmissionRequest, d policies.Decision) admission.Response {
	response := admission.Allowed("")
	if d.Denied() {
		response = forbidden(review, d)
	} else if !policies.BuiltinController(policies.User{Name: review.UserInfo.Username, Groups: review.UserInfo.Groups}) {
		response.Warnings = d.Warnings()
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
	for _, f := range d.Findings {
		if f.Action == v1alpha1.ActionDeny {
			status.Details.Causes = append(status.Details.Causes, metav1.StatusCause{
				Type:    metav1.CauseTypeForbidden,
				Field:   f.Field,
				Message: f.Message,
			})
		}
	}
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{Allowed: false, Result: status}}
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
	annotated := struct {
		Findings []policies.Finding `json:"findings"`
		More     int                `json:"more,omitempty"`
	}{Findings: findings}
	if len(findings) > maxAnnotated {
		annotated.Findings, annotated.More = findings[:maxAnnotated], len(findings)-maxAnnotated
	}
	text, err := json.Marshal(annotated)
	if err != nil {
		return fmt.Sprintf("findings can't be written: %v", err)
	}
	return string(text)
}
