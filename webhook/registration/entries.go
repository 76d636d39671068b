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
	"embargo.dev/webhook/exemption"
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
	introductions       = "introductions.embargo.dev"
	continuations       = "continuations.embargo.dev"
	templates           = "templates.embargo.dev"
	customContinuations = "custom-continuations.embargo.dev"
	namespaces          = "namespaces.embargo.dev"
	namespaceExclusions = "namespace-exclusions.embargo.dev"
	imports             = "imports.embargo.dev"
	kinds               = "kinds.embargo.dev"
)

// How long the API server waits for an answer. Controllers have a few workers each, so
// where packets vanish a wait for one object holds up all others.
const (
	timeoutSeconds           = 5
	controllerTimeoutSeconds = 1
)

// mayImport holds for a report that is restored from a backup by somebody who may import
// reports. The API server checks the right, since it knows who asks; a webhook only has what
// a review says. Whoever has every right has this one too, so the report itself has to say
// that it is restored: Velero labels what it restores, and people add the annotation.
const mayImport = "request.operation == 'CREATE' && request.resource.resource == 'vendorreports' && " +
	"(object.metadata.?labels[?'velero.io/restore-name'].hasValue() || object.metadata.?annotations[?'embargo.dev/import'].hasValue()) && " +
	"authorizer.group('embargo.dev').resource('vendorreports').namespace(request.namespace).check('import').allowed()"

// entry is an entry of the configuration.
type entry struct {
	name       string
	path       string
	failure    admissionv1.FailurePolicyType
	timeout    int32 // in seconds; 0 for timeoutSeconds
	rules      []*ac.RuleWithOperationsApplyConfiguration
	conditions []condition
	selector   *metaac.LabelSelectorApplyConfiguration
}

type condition struct{ name, expression string }

// conditionsOf are those of another package.
func conditionsOf(list []exemption.Condition) []condition {
	conditions := make([]condition, 0, len(list))
	for _, c := range list {
		conditions = append(conditions, condition{c.Name, c.Expression})
	}
	return conditions
}

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
			// Pod templates outside the built-in workloads, as people write them. Where
			// in such an object they stand is found by structure, which no expression
			// that can't err could do, so that there is no prefilter: it fails open
			// unless somebody chose otherwise. Embargo's own namespace is left out, so
			// that an installation never waits for itself.
			name: templates, path: PathWorkloads, failure: d.whereClosed(),
			rules: templateRules(d.resources), conditions: []condition{{"by-people", "!" + byOthers}},
			selector: notIn(d.namespace),
		},
		{
			// The same as controllers write it. No setting makes this fail closed: a
			// DaemonSet or StatefulSet without its ControllerRevision gets no Pods, the
			// network's among them, and without a network Embargo can't come back. The
			// Pods themselves are checked in any case. It fails open within a second, so
			// Embargo's own namespace doesn't have to be left out.
			name: customContinuations, path: PathWorkloads, failure: admissionv1.Ignore, timeout: controllerTimeoutSeconds,
			rules: templateRules(d.resources), conditions: d.filteredRevisions(condition{"by-controllers", byOthers}),
		},
	}
	list = append(list, d.namespaceEntries()...)
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
		conditions: []condition{
			{"not-being-deleted", "!object.?metadata.?deletionTimestamp.hasValue()"},
			{"not-an-import", "!(" + mayImport + ")"},
		},
	})
}

// alwaysCreatable are the namespaces that must never wait for Embargo to be created: its
// own, without which it can't come back, and those that Kubernetes makes.
func (d *desired) alwaysCreatable() []string {
	return []string{d.namespace, metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease}
}

// namespaceEntries take namespaces whose labels take them out of a policy or into a
// waiver, where the user may not do that. Subresources write labels too.
func (d *desired) namespaceEntries() []entry {
	var list []entry
	if conditions := conditionsOf(d.exemptions.Conditions(d.alwaysCreatable())); len(conditions) > 0 {
		list = append(list, entry{
			name: namespaces, path: PathKinds, failure: admissionv1.Fail,
			rules:      []*ac.RuleWithOperationsApplyConfiguration{rule("", "v1", "namespaces", "namespaces/status", "namespaces/finalize")},
			conditions: conditions,
		})
	}
	if conditions := conditionsOf(d.exemptions.ExclusionConditions(d.alwaysCreatable())); len(conditions) > 0 {
		// One waiver that only excludes concerns nearly every new namespace. If this
		// failed closed, nobody could create one while Embargo is down.
		created := rule("", "v1", "namespaces")
		created.Operations = []admissionv1.OperationType{admissionv1.Create}
		list = append(list, entry{
			name: namespaceExclusions, path: PathKinds, failure: admissionv1.Ignore,
			rules: []*ac.RuleWithOperationsApplyConfiguration{created}, conditions: conditions,
		})
	}
	return list
}

// filteredRevisions adds, where there is a prefilter, a condition that leaves out clean
// ControllerRevisions of built-in controllers: those hold a pod template at a known path.
// What anybody else writes into one may lie anywhere in it.
func (d *desired) filteredRevisions(conditions ...condition) []condition {
	if d.prefilter == nil {
		return conditions
	}
	const revision = "request.kind.group == 'apps' && request.kind.kind == 'ControllerRevision'"
	return append(conditions, condition{"suspect-revision", "!(" + revision + " && " + policies.BuiltinControllerExpression() + ") || " + d.prefilter.Revisions})
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
