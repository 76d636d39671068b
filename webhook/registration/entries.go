package registration

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"embargo.dev/policies"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
)

// Paths of the handlers.
const (
	PathWorkloads = "/validate"
	PathKinds     = "/validate-embargo"
	PathImports   = "/validate-embargo/imports"
)

// Names of the entries. The API server's own errors give them to users, so they are
// words that help.
const (
	introductions = "introductions.embargo.dev"
	continuations = "continuations.embargo.dev"
	templates     = "templates.embargo.dev"
	namespaces    = "namespaces.embargo.dev"
	imports       = "imports.embargo.dev"
	kinds         = "kinds.embargo.dev"
)

// mayImport holds for the creation of a report by somebody who may import reports. The API
// server checks the right, since it knows who asks; a webhook only has what a review says.
const mayImport = "request.operation == 'CREATE' && request.resource.resource == 'vendorreports' && " +
	"authorizer.group('embargo.dev').resource('vendorreports').namespace(request.namespace).check('import').allowed()"

// timeoutSeconds is how long the API server waits for an answer.
const timeoutSeconds = 5

// entry is an entry of the configuration.
type entry struct {
	name       string
	path       string
	failure    admissionv1.FailurePolicyType
	rules      []*ac.RuleWithOperationsApplyConfiguration
	conditions []condition
	selector   *metaac.LabelSelectorApplyConfiguration
}

type condition struct{ name, expression string }

// entries are all entries in their order.
func (d *desired) entries() []entry {
	// The two first entries share the requests for workloads between them: each takes
	// just what the other leaves.
	byOthers := policies.ContinuesExpression(d.trusted)
	changes := prefilter.ChangesImages()
	broughtIn := condition{"brought-in", "!" + byOthers + " && (request.operation == 'CREATE' || " + changes + ")"}
	goesOn := condition{"goes-on", byOthers + " || request.operation == 'UPDATE' && !" + changes}
	list := []entry{
		{
			// What people bring in. It fails closed, so that an outage lets nothing in
			// that looks restricted. It may, because the prefilter keeps clean requests
			// out of it: without one it would take the whole cluster down with Embargo,
			// and fails open.
			name: introductions, path: PathWorkloads, failure: d.whereFiltered(admissionv1.Fail),
			rules: workloadRules(), conditions: d.filtered(broughtIn),
		},
		{
			// What controllers and kubelets make of what is there already, and changes
			// that leave images as they are: an outage must never stop a restart, a
			// scaling, a finalizer or a node.
			name: continuations, path: PathWorkloads, failure: admissionv1.Ignore,
			rules: workloadRules(), conditions: d.filtered(goesOn),
		},
		{
			// Pod templates outside the built-in workloads. Where in such an object they
			// stand is found by structure, which no expression that can't err could do,
			// so that there is no prefilter: it fails open unless somebody chose
			// otherwise. Embargo's own namespace is left out, so that an installation
			// never waits for itself.
			name: templates, path: PathWorkloads, failure: d.whereClosed(),
			rules:    templateRules(d.resources),
			selector: notIn(d.namespace),
		},
	}
	if conditions := d.labels.conditions(); conditions != nil {
		list = append(list, entry{
			// Labels that policies and waivers select by: changing one may be a way out
			// of a policy, so nobody changes it unseen, also not by way of a subresource,
			// which writes labels as well.
			name: namespaces, path: PathKinds, failure: admissionv1.Fail,
			rules:      []*ac.RuleWithOperationsApplyConfiguration{rule("", "v1", "namespaces", "namespaces/status", "namespaces/finalize")},
			conditions: conditions,
		})
	}
	return append(list, entry{
		// Reports that are restored from a backup. It fails open, so that they can be
		// restored while the controller is stopped.
		name: imports, path: PathImports, failure: admissionv1.Ignore,
		rules:      []*ac.RuleWithOperationsApplyConfiguration{rule(v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, "vendorreports")},
		conditions: []condition{{"may-import", mayImport}},
	}, entry{
		// Embargo's own kinds: a bad object must not be stored. Deleting is never in
		// the way, nor is taking the last finalizer from what is being deleted.
		name: kinds, path: PathKinds, failure: admissionv1.Fail,
		rules: []*ac.RuleWithOperationsApplyConfiguration{
			rule(v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, "restrictedvendors", "vendorpolicies", "vendorwaivers", "vendorreports"),
		},
		conditions: []condition{{"not-being-deleted", "!object.?metadata.?deletionTimestamp.hasValue()"}, {"not-an-import", "!(" + mayImport + ")"}},
	})
}

// filtered adds the prefilter, where there is one, to an entry's conditions.
func (d *desired) filtered(conditions ...condition) []condition {
	if d.prefilter == nil {
		return conditions
	}
	return append(conditions, condition{"suspect", d.prefilter.Expression})
}

// whereFiltered returns a failure policy that only a prefilter makes harmless.
func (d *desired) whereFiltered(policy admissionv1.FailurePolicyType) admissionv1.FailurePolicyType {
	if d.prefilter == nil {
		return admissionv1.Ignore
	}
	return policy
}

// whereClosed returns the failure policy that was chosen for discovered resources.
func (d *desired) whereClosed() admissionv1.FailurePolicyType {
	if d.closed {
		return admissionv1.Fail
	}
	return admissionv1.Ignore
}

// workloadRules are the resources of which Kubernetes knows the pod spec.
func workloadRules() []*ac.RuleWithOperationsApplyConfiguration {
	return []*ac.RuleWithOperationsApplyConfiguration{
		rule("", "v1", "pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"),
		rule("apps", "v1", "deployments", "replicasets", "statefulsets", "daemonsets"),
		rule("batch", "v1", "jobs", "cronjobs"),
	}
}

func rule(group, version string, resources ...string) *ac.RuleWithOperationsApplyConfiguration {
	return ac.RuleWithOperations().
		WithOperations(admissionv1.Create, admissionv1.Update).
		WithAPIGroups(group).WithAPIVersions(version).WithResources(resources...).
		WithScope(admissionv1.AllScopes)
}

func notIn(namespace string) *metaac.LabelSelectorApplyConfiguration {
	return metaac.LabelSelector().WithMatchExpressions(metaac.LabelSelectorRequirement().
		WithKey(corev1.LabelMetadataName).WithOperator(metav1.LabelSelectorOpNotIn).WithValues(namespace))
}
