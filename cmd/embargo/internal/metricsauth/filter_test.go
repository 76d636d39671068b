package metricsauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	authenticationapi "k8s.io/api/authentication/v1"
	authorizationapi "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"embargo.dev/webhook/fairness"
)

// newFilter returns a filter for a cluster in which the token of Prometheus is known, and
// another one whose user may read nothing.
func newFilter() *filter {
	clients := fake.NewClientset()
	clients.PrependReactor("create", "tokenreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
		review := action.(k8stesting.CreateAction).GetObject().(*authenticationapi.TokenReview)
		review.Status.Authenticated = review.Spec.Token == "prometheus" || review.Spec.Token == "tenant"
		review.Status.User.Username = review.Spec.Token
		return true, review, nil
	})
	clients.PrependReactor("create", "subjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
		review := action.(k8stesting.CreateAction).GetObject().(*authorizationapi.SubjectAccessReview)
		what := review.Spec.NonResourceAttributes
		review.Status.Allowed = review.Spec.User == "prometheus" && what.Path == "/metrics" && what.Verb == "get"
		return true, review, nil
	})
	return &filter{
		tokens: clients.AuthenticationV1().TokenReviews(), access: clients.AuthorizationV1().SubjectAccessReviews(),
		answers: cache.NewLRUExpireCache(cacheSize), rates: fairness.NewRates(questionsPerSecond, questionBurst),
	}
}

func ask(f *filter, address, authorization string) int {
	request := httptest.NewRequest(http.MethodGet, "https://embargo/metrics", nil)
	request.RemoteAddr = address
	request.Header.Set("Authorization", authorization)
	return f.status(request, logr.Discard())
}

func TestThoseWhoMayReadMetrics(t *testing.T) {
	f := newFilter()
	for authorization, want := range map[string]int{
		"Bearer prometheus":  http.StatusOK,
		"bearer  prometheus": http.StatusOK,
		"Bearer tenant":      http.StatusForbidden,
		"Bearer made-up":     http.StatusUnauthorized,
		"Basic prometheus":   http.StatusUnauthorized,
		"Bearer ":            http.StatusUnauthorized,
		"":                   http.StatusUnauthorized,
	} {
		assert.Equal(t, want, ask(f, "10.0.0.1:1", authorization), authorization)
		assert.Equal(t, want, ask(f, "10.0.0.1:1", authorization), "remembered: "+authorization)
	}
}

// TestMadeUpTokensKeepNobodyOut: nor does it help to have Prometheus' token forgotten.
func TestMadeUpTokensKeepNobodyOut(t *testing.T) {
	f := newFilter()
	rejected := 0
	for n := range 10 * cacheSize {
		if ask(f, "10.0.0.1:1", fmt.Sprintf("Bearer made-up-%d", n)) == http.StatusTooManyRequests {
			rejected++
		}
	}
	assert.Positive(t, rejected)
	assert.Equal(t, http.StatusOK, ask(f, "10.0.0.2:1", "Bearer prometheus"))
}
