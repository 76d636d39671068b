package registration

import (
	"cmp"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"embargo.dev/policies/prefilter"
	"embargo.dev/webhook/discovery"
	"embargo.dev/webhook/exemption"
)

const (
	// Name is the name of the ValidatingWebhookConfiguration.
	Name = "embargo"
	// FieldManager is the name under which the controller applies it.
	FieldManager = "embargo"
	// VersionAnnotation has the version of the controller that wrote it.
	VersionAnnotation = "embargo.dev/version"
	// enforcerAnnotation tells AKS to leave the configuration as it is. It would write
	// exclusions of system namespaces into it, in turns with the controller.
	enforcerAnnotation = "admissions.enforcer/disabled"
)

// Endpoint is where the API server reaches the webhook: a Service, or a URL.
type Endpoint struct {
	URL       string // base URL; "" for the Service
	Namespace string
	Service   string
	Port      int32
}

// desired is all that the configuration depends on.
type desired struct {
	endpoint   Endpoint
	namespace  string // Embargo's own
	trusted    []string
	exemptions *exemption.Rules
	prefilter  *prefilter.Prefilter // nil where there is none
	resources  []discovery.Resource // that may embed pod templates, beside the built-in workloads
	closed     bool                 // whether the entry for those fails closed
	caBundle   []byte
	version    string
	owner      *owner
}

// owner is the cluster-scoped object with which the configuration goes.
type owner struct {
	name string
	uid  types.UID
}

// configuration is the whole object as it is applied.
func (d *desired) configuration() *ac.ValidatingWebhookConfigurationApplyConfiguration {
	c := ac.ValidatingWebhookConfiguration(Name).
		// It goes with the installation, which writes it once it can serve. Restored before
		// that, it would refuse what else is restored.
		WithLabels(map[string]string{"velero.io/exclude-from-backup": "true"}).
		WithAnnotations(map[string]string{VersionAnnotation: d.version, enforcerAnnotation: "true"}).
		WithOwnerReferences(metaac.OwnerReference().
			WithAPIVersion(rbacv1.SchemeGroupVersion.String()).WithKind("ClusterRole").WithName(d.owner.name).WithUID(d.owner.uid))
	for _, e := range d.entries() {
		c.WithWebhooks(d.webhook(e))
	}
	return c
}

func (d *desired) webhook(e entry) *ac.ValidatingWebhookApplyConfiguration {
	w := ac.ValidatingWebhook().
		WithName(e.name).
		WithClientConfig(d.clientConfig(e.path)).
		WithRules(e.rules...).
		WithFailurePolicy(e.failure).
		// Another version of a resource is converted rather than let by.
		WithMatchPolicy(admissionv1.Equivalent).
		WithSideEffects(admissionv1.SideEffectClassNone).
		WithTimeoutSeconds(cmp.Or(e.timeout, timeoutSeconds)).
		WithAdmissionReviewVersions("v1").
		WithObjectSelector(metaac.LabelSelector())
	if w.NamespaceSelector = e.selector; e.selector == nil {
		w.NamespaceSelector = metaac.LabelSelector()
	}
	for _, c := range e.conditions {
		w.WithMatchConditions(ac.MatchCondition().WithName(c.name).WithExpression(c.expression))
	}
	return w
}

func (d *desired) clientConfig(path string) *ac.WebhookClientConfigApplyConfiguration {
	c := ac.WebhookClientConfig().WithCABundle(d.caBundle...)
	if d.endpoint.URL != "" {
		return c.WithURL(d.endpoint.URL + path)
	}
	return c.WithService(ac.ServiceReference().
		WithNamespace(d.endpoint.Namespace).WithName(d.endpoint.Service).WithPort(d.endpoint.Port).WithPath(path))
}
