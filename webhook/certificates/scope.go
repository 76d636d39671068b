package certificates

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// scoped is a manager for the rotation of certificates, which would watch all Secrets of
// the namespace: those of releases and of registries too. It is given the one.
type scoped struct {
	ctrl.Manager

	config *rest.Config
}

func scope(mgr ctrl.Manager, secret types.NamespacedName) ctrl.Manager {
	config := rest.CopyConfig(mgr.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &selector{next, secret} })
	return &scoped{mgr, config}
}

// GetConfig returns the configuration of clients that see one Secret.
func (s *scoped) GetConfig() *rest.Config { return s.config }

// selector narrows lists and watches of Secrets to the one, so that a right to that one
// is enough.
type selector struct {
	next   http.RoundTripper
	secret types.NamespacedName
}

func (s *selector) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/api/v1/namespaces/"+s.secret.Namespace+"/secrets") {
		request = request.Clone(request.Context())
		query := request.URL.Query()
		query.Set("fieldSelector", "metadata.name="+s.secret.Name)
		request.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(request)
}
