package cluster

import (
	"errors"
	"fmt"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// silence is that a cluster gives no answer, or none to whoever asks.
type silence struct {
	cluster string
	cause   error
}

func (s *silence) Error() string { return fmt.Sprintf("cluster %s: %v", s.cluster, s.cause) }

// Unwrap tells that nothing could be read, and why.
func (s *silence) Unwrap() []error { return []error{ErrUnread, s.cause} }

// unanswered returns why a cluster gives no answer at all: it can't be reached, or doesn't
// know who asks. Which request found out is of no interest.
func unanswered(err error) (cause error, silent bool) {
	if request, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("can't be reached at %s: %w", address(request.URL), request.Err), true
	}
	if apierrors.IsUnauthorized(err) {
		return fmt.Errorf("doesn't accept the kubeconfig's credentials: %w", err), true
	}
	return nil, false
}

// address is the server of a request.
func address(request string) string {
	u, err := url.Parse(request)
	if err != nil {
		return request
	}
	return u.Scheme + "://" + u.Host
}
