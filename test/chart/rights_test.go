package chart_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// right is a verb on a resource, of one name where that isn't "", in one namespace where
// that isn't "".
type right struct{ verb, group, resource, name, namespace string }

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.group != "" {
		text += "." + r.group
	}
	if r.name != "" {
		text += "/" + r.name
	}
	if r.namespace != "" {
		text += " in " + r.namespace
	}
	return text
}

// grant is rights that an installation is meant to have, in all namespaces or in its own, and
// why a thief of its token may have them.
type grant struct {
	verbs, group, resources, name string
	local                         bool
	when                          func(variant) bool
	reason                        string
}

func writesReports(v variant) bool { return v.reports }
func readsNarrowly(v variant) bool { return !v.view }

// meant are all rights but those of the role view, of every authenticated account, and of
// declared waivers. Whoever adds a rule has to add it here, with a reason.
var meant = []grant{
	{verbs: "get list watch", group: "embargo.dev", resources: "restrictedvendors vendorpolicies vendorwaivers", reason: "every viewer reads the rules"},
	{verbs: "create patch delete", group: "embargo.dev", resources: "restrictedvendors vendorpolicies", reason: "it keeps the built-in list; EmbargoNothingInForce fires when rules go"},
	{verbs: "delete", group: "embargo.dev", resources: "vendorwaivers", reason: "without a waiver more is refused, not less"},
	{verbs: "update", group: "embargo.dev", resources: "restrictedvendors/status vendorpolicies/status vendorwaivers/status", reason: "no decision reads a status"},
	{verbs: "get list watch create update delete", group: "embargo.dev", resources: "vendorreports", reason: "reports are this identity's; no decision reads one"},
	{verbs: "get list watch", resources: "namespaces", reason: "labels and annotations of namespaces"},
	{verbs: "get list watch", resources: "podtemplates", reason: "images of PodTemplates"},
	{verbs: "list watch", resources: "nodes", reason: "names and digests of images; addresses of nodes too"},
	{verbs: "list create patch delete", group: "openreports.io", resources: "reports", when: writesReports, reason: "reports of others can be deleted: what the setting reportAPI costs"},
	{verbs: "list create patch delete", group: "wgpolicyk8s.io", resources: "policyreports", when: writesReports, reason: "the same"},
	{verbs: "create patch", group: "events.k8s.io", resources: "events", reason: "forged events change nothing"},
	{verbs: "create get list watch patch delete", group: "admissionregistration.k8s.io", resources: "validatingwebhookconfigurations", name: "embargo", reason: "its own; mended within seconds while a controller runs"},
	{verbs: "get", group: "rbac.authorization.k8s.io", resources: "clusterroles", name: "embargo", reason: "a role without rules"},
	{verbs: "get list watch", group: "apiextensions.k8s.io", resources: "customresourcedefinitions", reason: "schemas are public to every account"},
	{verbs: "get list watch", group: "apiregistration.k8s.io", resources: "apiservices", reason: "which aggregated APIs there are"},

	{verbs: "get list watch update", resources: "secrets", name: certificateSecret, local: true, reason: "the webhook's own certificate"},
	{verbs: "create get patch", resources: "configmaps", name: "embargo-state", local: true, reason: "its own"},
	{verbs: "get list watch", resources: "configmaps", name: "embargo-list", local: true, reason: "what the values declare"},
	{verbs: "create get update patch", group: "coordination.k8s.io", resources: "leases", name: "embargo", local: true, reason: "it can stop the leader; replicas go on deciding"},

	{verbs: "get list watch", resources: "pods replicationcontrollers", when: readsNarrowly, reason: "workloads"},
	{verbs: "get list watch", group: "apps", resources: "deployments replicasets statefulsets daemonsets controllerrevisions", when: readsNarrowly, reason: "workloads"},
	{verbs: "get list watch", group: "batch", resources: "jobs cronjobs", when: readsNarrowly, reason: "workloads"},
}

// expand returns the rights of a grant.
func (g grant) expand() []right {
	namespace := ""
	if g.local {
		namespace = own
	}
	var rights []right
	for verb := range strings.FieldsSeq(g.verbs) {
		for resource := range strings.FieldsSeq(g.resources) {
			rights = append(rights, right{verb, g.group, resource, g.name, namespace})
		}
	}
	return rights
}

// hasTheRightsThatAreMeant compares what the API server says of the token with the list, both
// ways: a right that isn't in the list, or that isn't granted, fails.
func (th *thief) hasTheRightsThatAreMeant(t *testing.T) {
	want := map[right]bool{}
	for _, g := range meant {
		if g.when == nil || g.when(th.variant) {
			require.NotEmpty(t, g.reason)
			for _, r := range g.expand() {
				want[r] = true
			}
		}
	}
	for _, name := range th.waivers {
		want[right{"create", "embargo.dev", "vendorwaivers", name, ""}] = true
		want[right{"patch", "embargo.dev", "vendorwaivers", name, ""}] = true
	}
	has := rightsOf(t, th.client)
	for r := range rightsOf(t, th.anybody(t)) {
		delete(has, r)
	}
	if th.view {
		for _, r := range th.viewRights(t) {
			delete(want, r) // granted twice
			delete(has, r)
		}
	}
	assert.Equal(t, texts(want), texts(has))
	for r := range want {
		assert.True(t, th.may(t, r), r)
	}
}

func texts(rights map[right]bool) []string {
	var all []string
	for r := range maps.Keys(rights) {
		all = append(all, r.String())
	}
	slices.Sort(all)
	return all
}

// rightsOf asks what a client may do. What it may do elsewhere it may do everywhere. (The
// API server calls the answer incomplete because of its authorizer for nodes, which has no
// rule for service accounts.)
func rightsOf(t *testing.T, client *kubernetes.Clientset) map[right]bool {
	t.Helper()
	found := map[right]bool{}
	for _, namespace := range []string{elsewhere, own} {
		review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
			&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
		require.NoError(t, err)
		for _, rule := range review.Status.ResourceRules {
			for _, r := range rightsOfRule(rule.Verbs, rule.APIGroups, rule.Resources, rule.ResourceNames) {
				if namespace == own && !found[r] {
					r.namespace = own
				}
				found[r] = true
			}
		}
	}
	return found
}

func rightsOfRule(verbs, groups, resources, names []string) []right {
	if len(names) == 0 {
		names = []string{""}
	}
	var rights []right
	for _, verb := range verbs {
		for _, group := range groups {
			for _, resource := range resources {
				for _, name := range names {
					rights = append(rights, right{verb, group, resource, name, ""})
				}
			}
		}
	}
	return rights
}

// anybody is a service account that nobody bound anything to.
func (th *thief) anybody(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	config := rest.CopyConfig(th.config)
	config.BearerToken = strings.TrimSpace(th.kubectl(t, "-n", elsewhere, "create", "token", "default"))
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return client
}

// viewRights are the rights of the role view, which must stay what it is: reading, without
// Secrets.
func (th *thief) viewRights(t *testing.T) []right {
	t.Helper()
	role, err := th.admin.RbacV1().ClusterRoles().Get(t.Context(), "view", metav1.GetOptions{})
	require.NoError(t, err)
	var rights []right
	for _, rule := range role.Rules {
		rights = append(rights, rightsOfRule(rule.Verbs, rule.APIGroups, rule.Resources, rule.ResourceNames)...)
	}
	for _, r := range rights {
		require.Contains(t, []string{"get", "list", "watch"}, r.verb, r)
		require.NotContains(t, []string{"secrets", "*"}, r.resource, r)
	}
	return rights
}

// may asks whether the token has a right.
func (th *thief) may(t *testing.T, r right) bool {
	t.Helper()
	resource, subresource, _ := strings.Cut(r.resource, "/")
	review, err := th.client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: r.verb, Group: r.group, Resource: resource, Subresource: subresource, Name: r.name, Namespace: r.namespace,
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return review.Status.Allowed
}
