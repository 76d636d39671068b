package exemption

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"embargo.dev/policies/v1alpha1"
)

// Condition is a match condition of a webhook.
type Condition struct{ Name, Expression string }

// maxText bounds the characters of all selectors in an expression, well within the
// 100,000 that the API server takes. It is room for a thousand waivers of one namespace
// each. With more, every new namespace and every change of labels is sent, unless the
// user has the verb on all policies and waivers.
const maxText = 40_000

// MaxNamed is how many rights by name the conditions check. The API server's budget for
// an expression is enough for two checks.
const MaxNamed = 2

// ChecksNames reports whether the API server checks rights on single policies and
// waivers. Where there are too many of those, it checks rights on all of them only.
func (r *Rules) ChecksNames() bool { return len(r.data()) <= maxText }

// Conditions are true for the requests that the entry for namespaces takes: a namespace
// leaves a policy or enters a waiver, and the user lacks a right. Namespaces that always
// have to be creatable are left out by their names. Nil where nothing can be left or
// entered.
//
// All conditions of an entry must hold. So each is the negation of one proof that the
// user may do it, and the budget of each is enough for two checks of a right.
func (r *Rules) Conditions(creatable []string) []Condition {
	if len(r.rules) == 0 {
		return nil
	}
	if !r.ChecksNames() {
		return r.coarse(creatable)
	}
	return r.named(creatable, "request.operation == 'CREATE' ? s.exists(e, e.startsWith('w/')) : s.size() > 0")
}

// ExclusionConditions are true for the creations that the entry for exclusions takes:
// those of namespaces that enter only waivers that say which namespaces they don't
// select. Nil where there is no such waiver.
func (r *Rules) ExclusionConditions(creatable []string) []Condition {
	if !r.has(exclusion) {
		return nil
	}
	if r.ChecksNames() {
		return r.named(creatable, "request.operation == 'CREATE' && s.size() > 0 && !s.exists(e, e.startsWith('w/'))")
	}
	if r.has(waiver) {
		return nil // the other entry takes every creation
	}
	return []Condition{{"new-namespace", "request.operation == 'CREATE' && " + unlessCreatable(creatable)}, {"rights-on-all", "!" + mayExempt(Waivers)}}
}

// named are the conditions that compare labels with every selector.
func (r *Rules) named(creatable []string, takes string) []Condition {
	steps := r.steps()
	return []Condition{
		{"not-being-deleted", notBeingDeleted},
		{"not-always-creatable", "request.operation != 'CREATE' || " + unlessCreatable(creatable)},
		{"leaves-or-enters", steps + ".exists(s, " + takes + ")"},
		{"rights", "!" + steps + ".exists(s, " + ofKind("e.startsWith('p/')", Policies) + " && " + ofKind("!e.startsWith('p/')", Waivers) + ")"},
		{"rights-on-two", "!" + steps + ".exists(s, s.size() == 2 && s.all(e, (e.startsWith('p/') ? " +
			resource(Policies) + " : " + resource(Waivers) + ").name(e.substring(2)).check('" + Verb + "').allowed()))"},
	}
}

// coarse are the conditions where the selectors are too many to compare labels with.
func (r *Rules) coarse(creatable []string) []Condition {
	created := "false"
	if r.has(waiver) {
		created = unlessCreatable(creatable)
	}
	return []Condition{
		{"not-being-deleted", notBeingDeleted},
		{"labels-change", "request.operation == 'CREATE' ? " + created + " : object.metadata.?labels != oldObject.metadata.?labels"},
		{"rights-on-all", "!((request.operation == 'CREATE' || " + mayExempt(Policies) + ") && " + mayExempt(Waivers) + ")"},
	}
}

const notBeingDeleted = "!object.?metadata.?deletionTimestamp.hasValue()"

func unlessCreatable(names []string) string {
	return "!(object.metadata.?name.orValue('') in " + list(names) + ")"
}

func resource(name string) string {
	return fmt.Sprintf("authorizer.group('%s').resource('%s')", v1alpha1.GroupVersion.Group, name)
}

func mayExempt(name string) string { return resource(name) + ".check('" + Verb + "').allowed()" }

// ofKind proves the right on those of the steps s for which a test of e holds: on the
// only one by its name, on more of them by the right on all.
func ofKind(test, name string) string {
	return fmt.Sprintf("[s.filter(e, %s)].all(k, k.size() == 0 || (k.size() == 1 ? %[2]s.name(k[0].substring(2)) : %[2]s).check('%s').allowed())",
		test, resource(name), Verb)
}

// steps is a CEL list whose one element lists what the namespace leaves and enters. The
// selectors are data that one expression reads: the API server's type checker takes a
// time that grows with the square of the operators, and a thousand selectors written out
// as operators would keep it busy for minutes.
//
// n is the name of the namespace, l its labels before and now, r a rule, q a requirement
// of its selector, and v a label's value, if it is there.
func (r *Rules) steps() string {
	return "[object.metadata.?name.orValue('')].map(n, [[oldObject, object].map(o, o.?metadata.?labels.orValue({}))].map(l, " + r.data() +
		".filter(r, " + exempt("l[1]") + " && (request.operation == 'CREATE' ? !r[0][0].startsWith('p/') : !" + exempt("l[0]") + ")).map(r, r[0][0])))[0]"
}

// exempt is a CEL expression that is true where a namespace with some labels is out of
// the policy r, or in the waiver r.
func exempt(labels string) string {
	return fmt.Sprintf("(r[0][0].startsWith('p/') != r.all(q, q.size() == 1 || (q[1] == '+') == "+
		"(q[0] == '' ? ['=' + n] : q[0] in %[1]s ? ['=' + %[1]s[q[0]]] : []).exists(v, q.size() == 2 || v in q)))", labels)
}

// data is a CEL list with a list for each rule: first [NAME], then for each requirement
// [KEY, + or -, =VALUE...], whether the label must have one of the values, or be there
// where no value is given. An empty key is the namespace's name. Names, keys and values
// need no escaping: the API server stores no others.
func (r *Rules) data() string {
	all := make([]string, 0, len(r.rules))
	for _, rule := range r.rules {
		requirements, _ := rule.selector.Requirements()
		parts := make([]string, 0, len(requirements))
		for i := range requirements {
			parts = append(parts, requirement(&requirements[i]))
		}
		slices.Sort(parts) // a selector's map has no order, and another order would be another write
		all = append(all, "[['"+string(rule.kind)+rule.name+"'],"+strings.Join(parts, ",")+"]")
	}
	return "[" + strings.Join(all, ",") + "]"
}

func requirement(r *labels.Requirement) string {
	key, sign := r.Key(), "+"
	if key == corev1.LabelMetadataName {
		key = ""
	}
	if o := r.Operator(); o == selection.NotIn || o == selection.NotEquals || o == selection.DoesNotExist {
		sign = "-"
	}
	words := []string{key, sign}
	for _, value := range r.Values().List() {
		words = append(words, "="+value)
	}
	return list(words)
}

// list is a CEL list of words that need no escaping.
func list(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, "'"+w+"'")
	}
	return "[" + strings.Join(quoted, ",") + "]"
}
