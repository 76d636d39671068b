package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/internal/logging"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/limits"
)

// denied is a decision that refuses so many images.
func denied(images ...string) policies.Decision {
	d := policies.Decision{Action: v1alpha1.ActionDeny, RuleSet: "sha256:r"}
	for _, image := range images {
		d.Findings = append(d.Findings, policies.Finding{
			Container: "c", Image: image, Vendor: "acme", Restriction: "order", Phase: "banned", Use: policies.UseIntroduce, Action: v1alpha1.ActionDeny,
		})
	}
	return d
}

func reviewBy(user string) *admissionv1.AdmissionRequest {
	return &admissionv1.AdmissionRequest{
		Operation: admissionv1.Create, Namespace: "mail", Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
		UserInfo: authenticationv1.UserInfo{Username: user, Groups: []string{"secret-project"}},
	}
}

// logged runs with a logger and returns its lines.
func logged(t *testing.T, run func(l *reviewLog, write func(*admissionv1.AdmissionRequest, policies.Decision))) []string {
	t.Helper()
	var lines []string
	ctx := logf.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	l := &reviewLog{limiter: rate.NewLimiter(0, 2)}
	ctx = l.into(ctx)
	run(l, func(review *admissionv1.AdmissionRequest, d policies.Decision) { logDenial(ctx, review, "av-1", d) })
	return lines
}

func TestARefusalIsOneLine(t *testing.T) {
	d := denied("registry.acme.example/agent:1")
	d.Findings = append(d.Findings, policies.Finding{Vendor: "other", Action: v1alpha1.ActionWarn})
	lines := logged(t, func(_ *reviewLog, write func(*admissionv1.AdmissionRequest, policies.Decision)) {
		write(reviewBy("jane"), d)
	})
	require.Len(t, lines, 1)
	for _, says := range []string{
		`"msg"="restricted image refused"`, `"user"="jane"`, `"operation"="create"`, `"namespace"="mail"`, `"kind"="Pod"`, `"name"="av-1"`,
		`"container"="c"`, `"image"="registry.acme.example/agent:1"`, `"vendor"="acme"`, `"restriction"="order"`, `"phase"="banned"`, `"use"="Introduce"`, `"ruleSet"="sha256:r"`,
	} {
		assert.Contains(t, strings.ReplaceAll(lines[0], `":"`, `"="`), says)
	}
	assert.NotContains(t, lines[0], "secret-project", "groups may be many, and may tell of people")
	assert.NotContains(t, lines[0], "other", "it is not what was refused")
}

// TestTheLogIsBounded forges many reviews, each with more than a line should hold.
func TestTheLogIsBounded(t *testing.T) {
	var images []string
	for range 1000 {
		images = append(images, strings.Repeat("x", 5000))
	}
	var l *reviewLog
	lines := logged(t, func(log *reviewLog, write func(*admissionv1.AdmissionRequest, policies.Decision)) {
		l = log
		for range 10 {
			write(reviewBy(strings.Repeat("j", 5000)), denied(images...))
		}
		log.limiter.SetBurst(3)
		log.limiter.SetLimit(rate.Inf)
		write(reviewBy("jane"), denied("a"))
	})
	require.Len(t, lines, 3)
	assert.Less(t, len(lines[0]), 8<<10)
	assert.Contains(t, lines[0], `"moreFindings"=990`)
	assert.Contains(t, lines[2], `"suppressedLines"=8`)
	assert.Zero(t, l.suppressed.Load())
}

// TestErrorsAboutReviewsAreBoundedToo: what can't be decided is logged with what the review says.
func TestErrorsAboutReviewsAreBoundedToo(t *testing.T) {
	var lines []string
	l := &reviewLog{limiter: rate.NewLimiter(0, 2)}
	ctx := l.into(logf.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})))
	long := strings.Repeat("n", 1<<20)
	for range 5 {
		logf.FromContext(ctx).WithName("x").WithValues("k", "v").Error(errors.New(long), "can't decide", "name", long)
		logging.Warn(ctx, "an owner may not be read", "namespace", long)
	}
	require.Len(t, lines, 2)
	assert.Less(t, len(lines[0])+len(lines[1]), 16<<10)
	assert.EqualValues(t, 8, l.suppressed.Load())
}

// TestALineAboutAReviewIsBounded sends a review that nothing can decide.
func TestALineAboutAReviewIsBounded(t *testing.T) {
	var lines []string
	ctx := logf.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	failing := admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
		panic("what a review says")
	})
	text := `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","name":"` + strings.Repeat("n", 1<<20) + `"}}`
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/validate", strings.NewReader(text))
	request.Header.Set("Content-Type", "application/json")
	Serve(failing, limits.New()).ServeHTTP(httptest.NewRecorder(), request)
	require.Len(t, lines, 1)
	assert.Less(t, len(lines[0]), 16<<10)
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"nginx:1.27":              "nginx:1.27",
		"a\x1b[2Jb\n":             "a\uFFFD[2Jb\uFFFD",
		"a\u202egnp.exe":          "a\uFFFDgnp.exe",
		"bad\xff":                 "bad\uFFFD",
		strings.Repeat("é", 1000): strings.Repeat("é", 126) + "…",
	} {
		assert.Equal(t, want, printable(text))
	}
}

// TestRestrictedRequestsAreCountedByTheRuleSet: once a request, and never by what it says.
func TestRestrictedRequestsAreCountedByTheRuleSet(t *testing.T) {
	d := denied("a", "b")
	d.Findings = append(d.Findings,
		policies.Finding{Vendor: "acme", Restriction: "counted", Action: v1alpha1.ActionWarn, Use: policies.UseContinue},
		policies.Finding{Vendor: "acme", Restriction: "noted", Action: v1alpha1.ActionAudit, Use: policies.UseContinue},
		policies.Finding{Evidence: policies.EvidenceUnparsable, Action: v1alpha1.ActionWarn})
	for range 2 {
		record(t.Context(), reviewBy("jane"), "", d)
	}
	dry := reviewBy("jane")
	dry.DryRun = new(bool)
	*dry.DryRun = true
	record(t.Context(), dry, "", d)
	assert.Equal(t, map[string]float64{"Deny,order,Introduce,acme": 2, "Warn,counted,Continue,acme": 2}, restrictedSamples(t, "acme"))
	assert.Empty(t, restrictedSamples(t, ""))
}

// restrictedSamples returns the counter's samples of a vendor by their other labels.
func restrictedSamples(t *testing.T, vendor string) map[string]float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	samples := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "embargo_restricted_requests_total" {
			continue
		}
		for _, sample := range family.GetMetric() {
			var values []string
			for _, pair := range sample.GetLabel() {
				values = append(values, pair.GetValue())
			}
			if values[len(values)-1] == vendor {
				samples[strings.Join(values, ",")] = sample.GetCounter().GetValue()
			}
		}
	}
	return samples
}
