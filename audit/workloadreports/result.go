package workloadreports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	openreports "github.com/openreports/reports-api/apis/openreports.io/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"embargo.dev/audit/exposure"
	"embargo.dev/internal/display"
	"embargo.dev/policies/v1alpha1"
)

const (
	category = "Restricted vendors"

	// maxText is how long a result's texts are at most, and maxName a name in them.
	maxText, maxName = 1024, 255
)

// What results can be. None is pass: a restricted image that is only noted down still
// is one.
const (
	fail openreports.Result = "fail" // not met
	warn openreports.Result = "warn" // not met, and not scored
	skip openreports.Result = "skip" // excepted
	bad  openreports.Result = "error"
)

// outcome returns what a finding amounts to. What came after a ban fails, whatever it
// is granted as something that goes on.
func outcome(f *exposure.Finding) (openreports.Result, openreports.ResultSeverity) {
	switch {
	case f.Vendor == "":
		return bad, "medium"
	case f.Waiver != "":
		return skip, "info"
	case f.Action == v1alpha1.ActionDeny || f.ArrivedAfterBan:
		return fail, "high"
	case f.Action == v1alpha1.ActionWarn:
		return warn, "medium"
	default:
		return warn, "low"
	}
}

// result makes a result of a finding. Nothing in it depends on the day.
func (w *Writer) result(namespace string, f *exposure.Finding) openreports.ReportResult {
	result, severity := outcome(f)
	r := openreports.ReportResult{
		Source: source, Policy: f.Vendor, Rule: f.Restriction, Category: category,
		Result: result, Scored: result == fail, Severity: severity,
		Timestamp: metav1.Timestamp{Seconds: f.Since.Truncate(time.Second).Unix()},
		Subjects:  []corev1.ObjectReference{referenceTo(f.Workload)},
		// policy-reporter tells results from others by resultID.
		Properties:  map[string]string{"resultID": resultID(namespace, f)},
		Description: display.Prefix(message(f), maxText),
	}
	if f.Vendor == "" {
		r.Policy = v1alpha1.UnreadableImages
	}
	digests := f.Digests[:min(len(f.Digests), v1alpha1.MaxReportDigests)]
	for key, value := range map[string]string{
		"image": exposure.Shown(f.Image), "container": f.Key().Container, "vendor": f.Vendor, "restriction": f.Restriction, "phase": f.Phase,
		"digest": strings.Join(digests, ","), "waiver": f.Waiver, "banDate": w.banDateOf(f),
	} {
		if value != "" {
			r.Properties[key] = value
		}
	}
	return r
}

func (w *Writer) banDateOf(f *exposure.Finding) string {
	if f.Vendor == "" {
		return ""
	}
	return w.banDate(f.Vendor, f.Restriction)
}

// resultID names the finding, from audit to audit.
func resultID(namespace string, f *exposure.Finding) string {
	k := f.Key()
	sum := sha256.Sum256([]byte(strings.Join([]string{namespace, string(k.Workload), k.Container, k.Image, k.Vendor, k.Restriction}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// message says what was found. The evaluator's own message counts the days that are
// left, so that every day would rewrite every report.
func message(f *exposure.Finding) string {
	if f.Vendor == "" {
		return f.Message
	}
	var b strings.Builder
	fmt.Fprintf(&b, "image %s", exposure.Quoted(f.Image, maxText/4))
	if f.Container != "" {
		fmt.Fprintf(&b, " of %s", exposure.Quoted(f.Container, maxName))
	}
	fmt.Fprintf(&b, " is of restricted vendor %s: phase %q of %s", f.Vendor, f.Phase, f.Restriction)
	if f.Effective != nil {
		fmt.Fprintf(&b, ", effective %s", f.Effective.UTC().Format(time.RFC3339))
	}
	if f.Next != nil {
		fmt.Fprintf(&b, "; phase %q follows on %s", f.Next.Phase, f.Next.On)
	}
	if f.Waiver != "" {
		fmt.Fprintf(&b, "; covered by waiver %q", f.Waiver)
	}
	if f.ArrivedAfterBan {
		b.WriteString("; it arrived after the ban")
	}
	return b.String()
}
