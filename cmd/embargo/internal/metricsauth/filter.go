// Package metricsauth lets those read /metrics whom the cluster allows to: it asks the API
// server who a bearer token belongs to, and whether that user may get the path.
//
// controller-runtime has such a filter, but it brings the API server's libraries for
// authentication with it, and with those gRPC, OpenTelemetry and CEL.
package metricsauth

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authenticationapi "k8s.io/api/authentication/v1"
	authorizationapi "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"embargo.dev/webhook/fairness"
)

const (
	// cacheSize bounds how many answers are remembered.
	cacheSize  = 64
	allowedFor = time.Minute
	deniedFor  = 10 * time.Second
	// A token that isn't remembered costs two requests to the API server. Each source has a
	// rate of its own: made-up tokens from one Pod must not keep Prometheus out.
	questionsPerSecond, questionBurst = 5, 20
)

type filter struct {
	tokens  authenticationv1.TokenReviewInterface
	access  authorizationv1.SubjectAccessReviewInterface
	answers *cache.LRUExpireCache // HTTP status by question
	rates   *fairness.Rates
}

// question is what an answer depends on.
type question struct {
	token        [sha256.Size]byte
	method, path string
}

// Filter is for controller-runtime's metrics server.
func Filter(config *rest.Config, client *http.Client) (metricsserver.Filter, error) {
	tokens, err := authenticationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	access, err := authorizationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	f := &filter{
		tokens: tokens.TokenReviews(), access: access.SubjectAccessReviews(),
		answers: cache.NewLRUExpireCache(cacheSize), rates: fairness.NewRates(questionsPerSecond, questionBurst),
	}
	return func(log logr.Logger, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status := f.status(r, log); status != http.StatusOK {
				http.Error(w, http.StatusText(status), status)
				return
			}
			next.ServeHTTP(w, r)
		}), nil
	}, nil
}

// status returns 200 where the request's bearer may do what it asks for.
func (f *filter) status(r *http.Request, log logr.Logger) int {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return http.StatusUnauthorized
	}
	q := question{sha256.Sum256([]byte(token)), strings.ToLower(r.Method), r.URL.Path}
	if known, ok := f.answers.Get(q); ok {
		return known.(int)
	}
	if !f.rates.Allow(fairness.SourceOf(r.RemoteAddr)) {
		return http.StatusTooManyRequests
	}
	status, err := f.ask(r.Context(), token, q)
	if err != nil {
		log.Error(err, "can't ask the API server who may read metrics")
		return http.StatusInternalServerError
	}
	remember := deniedFor
	if status == http.StatusOK {
		remember = allowedFor
	}
	f.answers.Add(q, status, remember)
	return status
}

func (f *filter) ask(ctx context.Context, token string, q question) (int, error) {
	identity, err := f.tokens.Create(ctx, &authenticationapi.TokenReview{Spec: authenticationapi.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	if !identity.Status.Authenticated {
		return http.StatusUnauthorized, nil
	}
	user := identity.Status.User
	extra := map[string]authorizationapi.ExtraValue{}
	for key, values := range user.Extra {
		extra[key] = authorizationapi.ExtraValue(values)
	}
	answer, err := f.access.Create(ctx, &authorizationapi.SubjectAccessReview{Spec: authorizationapi.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		NonResourceAttributes: &authorizationapi.NonResourceAttributes{Path: q.path, Verb: q.method},
	}}, metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	if !answer.Status.Allowed {
		return http.StatusForbidden, nil
	}
	return http.StatusOK, nil
}
