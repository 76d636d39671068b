package audit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// server answers listings of Pods in the namespace mail, two at a time, and says of
// everything else what it is told to.
func server(t *testing.T, other func(path string) *apierrors.StatusError) *rest.Config {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/v1/namespaces/mail/pods" {
			assert.NoError(t, json.NewEncoder(w).Encode(pageOfPods(r.URL.Query().Get("continue"))))
			return
		}
		status := other(r.URL.Path).ErrStatus
		status.APIVersion, status.Kind = "v1", "Status"
		w.WriteHeader(int(status.Code))
		assert.NoError(t, json.NewEncoder(w).Encode(status))
	}))
	t.Cleanup(s.Close)
	return &rest.Config{Host: s.URL}
}

// pageOfPods is the first page, or the last.
func pageOfPods(token string) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
	names := []string{"a", "b"}
	if token == "" {
		list.Continue = "more"
	} else {
		names = []string{"c"}
	}
	for _, name := range names {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: name, UID: types.UID(name)}}
		list.Items = append(list.Items, pod)
	}
	return list
}

func forbidden(path string) *apierrors.StatusError {
	return apierrors.NewForbidden(schema.GroupResource{Resource: path[strings.LastIndex(path, "/")+1:]}, "", nil)
}

func TestASurveyTriesEachNamespaceWhereNotAllMayBeRead(t *testing.T) {
	read := 0
	s := &Survey{Config: server(t, forbidden), Fallback: []string{"mail", "web"}, Read: func(n int) { read += n }}
	seen, err := s.Take(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, seen.Inventory.Len(), "all pages")
	assert.Equal(t, 3, read)
	of := func(namespace string) (resources []string) {
		for _, u := range seen.Unread {
			if u.Namespace == namespace {
				resources = append(resources, u.Resource)
			}
		}
		slices.Sort(resources)
		return resources
	}
	assert.NotContains(t, of("mail"), "pods")
	assert.Contains(t, of("mail"), "deployments.apps")
	assert.Contains(t, of("web"), "pods")
	assert.Equal(t, []string{"nodes"}, of(""))
}

func TestAnAPIThatIsDownStandsInTheWayOfNothingElse(t *testing.T) {
	down := func(path string) *apierrors.StatusError {
		if strings.Contains(path, "/things") {
			return apierrors.NewServiceUnavailable("no endpoints")
		}
		return forbidden(path)
	}
	things := Resource{Kind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}, Resource: "things"}
	s := &Survey{Config: server(t, down), Namespaces: []string{"mail"}, Resources: []Resource{things, {Kind: things.Kind, Resource: "wide", ClusterScoped: true}}}
	seen, err := s.Take(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, seen.Inventory.Len())
	i := slices.IndexFunc(seen.Unread, func(u Unread) bool { return u.Resource == "things.example.com" })
	require.GreaterOrEqual(t, i, 0)
	assert.True(t, apierrors.IsServiceUnavailable(seen.Unread[i].Err))
	assert.False(t, slices.ContainsFunc(seen.Unread, func(u Unread) bool { return u.Resource == "wide.example.com" }), "what is in no namespace isn't asked for")
}

func TestASurveyOfAClusterOutOfReachFails(t *testing.T) {
	_, err := (&Survey{Config: &rest.Config{Host: "http://127.0.0.1:1"}}).Take(t.Context())
	require.ErrorContains(t, err, "connection refused")
}
