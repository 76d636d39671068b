package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook"
	"embargo.dev/webhook/limits"
)

const restrictedImage = "kaspersky/scanengine_httpd:2.1"

// builtinList is a webhook with the built-in list and the default policy, in a cluster
// without anything.
func builtinList(t *testing.T) *webhook.Workloads {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	rules, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}})
	require.Empty(t, problems)
	cluster := fake.NewClientBuilder().WithScheme(newScheme(t)).Build()
	return &webhook.Workloads{
		Rules: func() *policies.RuleSet { return rules }, Clock: time.Now,
		Cache: cluster, Live: cluster, Covered: workload.Builtin,
	}
}

// reviewText is a review as the API server sends it.
func reviewText(version, operation, kind, object string) string {
	return fmt.Sprintf(`{"apiVersion":"admission.k8s.io/%s","kind":"AdmissionReview","request":{"uid":"u-1","operation":%q,
		"kind":{"group":"","version":"v1","kind":%q},"resource":{"group":"","version":"v1","resource":"pods"},
		"namespace":"n","name":"p","userInfo":{"username":"jane"},"object":%s}}`, version, operation, kind, object)
}

func pod(images ...string) string {
	var containers []string
	for i, image := range images {
		containers = append(containers, fmt.Sprintf(`{"name":"c%d","image":%q}`, i, image))
	}
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[` + strings.Join(containers, ",") + `]}}`
}

func send(t *testing.T, h admission.Handler, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/validate", bytes.NewBufferString(body))
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	webhook.Serve(h, limits.New()).ServeHTTP(recorder, request)
	return recorder
}

func decided(t *testing.T, h admission.Handler, body string) *admissionv1.AdmissionReview {
	t.Helper()
	answer := send(t, h, "application/json", body)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	var review admissionv1.AdmissionReview
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &review))
	require.NotNil(t, review.Response)
	assert.Nil(t, review.Request)
	assert.EqualValues(t, "u-1", review.Response.UID)
	return &review
}

func TestAReviewIsAnsweredInItsVersion(t *testing.T) {
	for _, version := range []string{"v1", "v1beta1"} {
		review := decided(t, builtinList(t), reviewText(version, "CREATE", "Pod", pod("nginx", restrictedImage)))
		assert.Equal(t, "admission.k8s.io/"+version, review.APIVersion)
		assert.Equal(t, "AdmissionReview", review.Kind)
		assert.False(t, review.Response.Allowed)
		assert.EqualValues(t, 403, review.Response.Result.Code)
		assert.Equal(t, "spec.containers[1].image", review.Response.Result.Details.Causes[0].Field)
	}
}

// TestWhatIsNoReviewIsNeverAdmitted: nor is it refused, which would count whatever the
// failurePolicy.
func TestWhatIsNoReviewIsNeverAdmitted(t *testing.T) {
	good := reviewText("v1", "CREATE", "Pod", pod("nginx"))
	for name, c := range map[string]struct {
		contentType, body string
		code              int
		says              string
	}{
		"another content type":   {"application/yaml", good, 415, "want application/json"},
		"nothing":                {"application/json", "", 400, "reading the review"},
		"no JSON":                {"application/json", "{", 400, "reading the review"},
		"another kind":           {"application/json", strings.Replace(good, `"AdmissionReview"`, `"Pod"`, 1), 400, `a "Pod" of "admission.k8s.io/v1"`},
		"another version":        {"application/json", strings.Replace(good, "k8s.io/v1", "k8s.io/v2", 1), 400, "admission.k8s.io/v2"},
		"no request":             {"application/json", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, 400, "no request"},
		"a request of null":      {"application/json", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}`, 400, "no request"},
		"no object":              {"application/json", reviewText("v1", "CREATE", "Pod", "null"), 400, "request.object: Required value"},
		"an update to no object": {"application/json", reviewText("v1", "UPDATE", "Pod", "null"), 400, "request.object: Required value"},
		"an object that is none": {"application/json", reviewText("v1", "CREATE", "Pod", `"pod"`), 400, "request.object"},
		"no kind":                {"application/json", reviewText("v1", "CREATE", "", pod("nginx")), 400, "request.kind"},
		"no operation":           {"application/json", reviewText("v1", "", "Pod", pod("nginx")), 400, "request.operation"},
		"too large":              {"application/json", reviewText("v1", "CREATE", "Pod", pod(strings.Repeat("x", 21<<20))), 413, "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := send(t, builtinList(t), c.contentType, c.body)
			assert.Equal(t, c.code, answer.Code)
			assert.Contains(t, answer.Body.String(), c.says)
			assert.NotContains(t, answer.Body.String(), "allowed")
		})
	}
}

func TestWithoutImagesNothingIsDenied(t *testing.T) {
	for _, operation := range []string{"DELETE", "CONNECT"} {
		assert.True(t, decided(t, builtinList(t), reviewText("v1", operation, "Pod", "null")).Response.Allowed, operation)
	}
}

// TestAnObjectFullOfEscapesIsRead: in JSON each < is six characters, so that an object
// as large as one may be is a review of many times that.
func TestAnObjectFullOfEscapesIsRead(t *testing.T) {
	object := strings.Replace(pod(restrictedImage), `"spec":{`, `"spec":{"hostname":"`+strings.Repeat(`\u003c`, 1_400_000)+`",`, 1)
	assert.False(t, decided(t, builtinList(t), reviewText("v1", "CREATE", "Pod", object)).Response.Allowed)
}

func TestAPanicIsNoRefusal(t *testing.T) {
	w := builtinList(t)
	w.Rules = func() *policies.RuleSet { panic("out of rules") }
	answer := send(t, w, "application/json", reviewText("v1", "CREATE", "Pod", pod("nginx")))
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	assert.Contains(t, answer.Body.String(), "panic: out of rules")
}

// TestAnswersAreBounded sends what the API server would store: thousands of containers,
// and names of any length.
func TestAnswersAreBounded(t *testing.T) {
	const many = 2000
	denied, long := make([]string, many), make([]string, many)
	for i := range many {
		denied[i] = fmt.Sprint("kaspersky/scanengine_httpd:", i)
		long[i] = fmt.Sprint(strings.Repeat("X", 2000), i)
	}
	response := decided(t, builtinList(t), reviewText("v1", "CREATE", "Pod", pod(denied...))).Response
	causes := response.Result.Details.Causes
	require.Len(t, causes, 51)
	assert.Equal(t, "spec.containers[0].image", causes[0].Field)
	assert.Regexp(t, `^and \d+ more$`, causes[50].Message)
	assert.LessOrEqual(t, len(response.Result.Message), 800)

	response = decided(t, builtinList(t), reviewText("v1", "CREATE", "Pod", pod(slices.Concat(long, []string{"kaspersky/other:1"})...))).Response
	require.True(t, response.Allowed)
	require.Len(t, response.Warnings, 2, "one for the vendor, and one for all images that can't be read")
	assert.Contains(t, response.Warnings[0], `"kaspersky/other:1"`)
	assert.Contains(t, response.Warnings[1], "2000 images can't be read")
	for _, line := range response.Warnings {
		assert.LessOrEqual(t, len([]rune(line)), 256, "with more than 4,096 together, the API server cuts each to this")
	}
	annotation := response.AuditAnnotations["findings"]
	assert.LessOrEqual(t, len(annotation), 70<<10)
	var findings struct {
		Findings []policies.Finding `json:"findings"`
		More     int                `json:"more"`
	}
	require.NoError(t, json.Unmarshal([]byte(annotation), &findings))
	assert.NotEmpty(t, findings.Findings)
	assert.Equal(t, many+1, len(findings.Findings)+findings.More)
}

// TestNoLabelRepeatsWhatAReviewSays: whoever reaches the port could fill the memory with
// counters.
func TestNoLabelRepeatsWhatAReviewSays(t *testing.T) {
	body := reviewText("v1", "CREATE", "Pod", pod("nginx"))
	before := counters(t)
	for _, resource := range []string{"pods", "made-up", "also-made-up"} {
		decided(t, builtinList(t), strings.Replace(body, `"resource":"pods"`, `"resource":"`+resource+`"`, 1))
	}
	decided(t, builtinList(t), strings.NewReplacer(`"kind":"Pod"},"res`, `"kind":"Widget"},"res`, `"group":""`, `"group":"example.com"`).Replace(body))
	assert.Subset(t, append(before, "Allow create pods", "Allow create custom"), counters(t))
}

func TestADryRunIsNotCounted(t *testing.T) {
	body := strings.Replace(reviewText("v1", "CREATE", "PodTemplate", pod("nginx")), `"uid"`, `"dryRun":true,"uid"`, 1)
	decided(t, builtinList(t), body)
	assert.NotContains(t, counters(t), "Allow create podtemplates")
}

// TestANamespaceThatCannotBeReadIsSelected: by every policy, and by no waiver.
func TestANamespaceThatCannotBeReadIsSelected(t *testing.T) {
	w := builtinList(t)
	w.Live = broken(t)
	assert.False(t, decided(t, w, reviewText("v1", "CREATE", "Pod", pod(restrictedImage))).Response.Allowed)
	assert.True(t, decided(t, w, reviewText("v1", "CREATE", "Pod", pod("nginx"))).Response.Allowed)
}

// TestAnOwnerThatDoesNotAnswerInTimeDecidesNothing: the API server hears of it before it
// gives up itself.
func TestAnOwnerThatDoesNotAnswerInTimeDecidesNothing(t *testing.T) {
	w := builtinList(t)
	w.Live = silent(t)
	owned := strings.Replace(pod(restrictedImage), `"name":"p"`, `"name":"p","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"r","controller":true}]`, 1)
	began := time.Now()
	answer := send(t, w, "application/json", reviewText("v1", "CREATE", "Pod", owned))
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	assert.Contains(t, answer.Body.String(), "reading the controller owner ReplicaSet n/r")
	assert.Less(t, time.Since(began), 5*time.Second)

	w.Covered = func(schema.GroupKind) bool { return false }
	answer = send(t, w, "application/json", reviewText("v1", "CREATE", "Pod", pod("nginx")))
	assert.Equal(t, http.StatusOK, answer.Code, "a clean request asks nobody")
}

// broken is a client of a cluster that answers nothing but errors, silent one that never
// answers.
func broken(t *testing.T) client.Client {
	t.Helper()
	return failing(t, func(context.Context) error { return errors.New("etcd is on holiday") })
}

func silent(t *testing.T) client.Client {
	t.Helper()
	return failing(t, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

func failing(t *testing.T, get func(context.Context) error) client.Client {
	t.Helper()
	return fake.NewClientBuilder().WithScheme(newScheme(t)).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, _ client.WithWatch, _ client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
			return get(ctx)
		},
	}).Build()
}

// counters are the labels of all decisions counted so far: action, operation, resource.
func counters(t *testing.T) []string {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	var all []string
	for _, family := range families {
		if family.GetName() != "embargo_decisions_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			var values []string
			for _, label := range m.GetLabel() {
				values = append(values, label.GetValue())
			}
			all = append(all, strings.Join(values, " "))
		}
	}
	return all
}
