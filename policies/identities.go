package policies

import (
	"slices"
	"strings"
)

const (
	controllerManager = "system:kube-controller-manager"
	systemAccounts    = "system:serviceaccount:kube-system:"
	nodePrefix        = "system:node:"
)

// builtinControllers are the service accounts, in kube-system, of the controllers of
// kube-controller-manager that create workloads or change them (Kubernetes' bootstrap
// policy, controller roles).
var builtinControllers = []string{
	"cronjob-controller",
	"daemon-set-controller",
	"deployment-controller",
	"disruption-controller",
	"endpoint-controller",
	"generic-garbage-collector",
	"horizontal-pod-autoscaler",
	"job-controller",
	"namespace-controller",
	"node-controller",
	"persistent-volume-binder",
	"pod-garbage-collector",
	"replicaset-controller",
	"replication-controller",
	"resource-claim-controller",
	"statefulset-controller",
	"taint-eviction-controller",
	"ttl-after-finished-controller",
}

// BuiltinController reports whether the user is one of Kubernetes' own controllers:
// its service account, or the controller manager where that runs with one identity.
func BuiltinController(u User) bool {
	if u.Name == controllerManager {
		return true
	}
	account, ok := strings.CutPrefix(u.Name, systemAccounts)
	return ok && slices.Contains(builtinControllers, account)
}

// Kubelet reports whether the user is a node.
func Kubelet(u User) bool { return strings.HasPrefix(u.Name, nodePrefix) && u.inGroup(nodeGroup) }

// userName is the CEL expression for a user's name. An empty name is left out of the
// request. An expression that errs is a bypass, so no field is taken for granted.
const userName = "request.userInfo.?username.orValue('')"

// builtinUsers are the names of Kubernetes' own controllers.
func builtinUsers() []string {
	users := []string{controllerManager}
	for _, account := range builtinControllers {
		users = append(users, systemAccounts+account)
	}
	return users
}

// BuiltinControllerExpression is the CEL expression, over a request's userInfo, for
// BuiltinController.
func BuiltinControllerExpression() string { return userName + " in " + quoteAll(builtinUsers()) }

// ContinuesExpression is the CEL expression, over a request's userInfo, that is true
// for built-in controllers, kubelets and the trusted controllers: the users whose
// creations go on with what was there before.
func ContinuesExpression(trusted []string) string {
	return "(" + userName + " in " + quoteAll(append(builtinUsers(), trusted...)) + " || " +
		userName + ".startsWith(" + quoteCEL(nodePrefix) + ") && " +
		"request.userInfo.?groups.orValue([]).exists(g, g == " + quoteCEL(nodeGroup) + "))"
}

// quoteAll writes texts as a CEL list.
func quoteAll(texts []string) string {
	quoted := make([]string, 0, len(texts))
	for _, text := range texts {
		quoted = append(quoted, quoteCEL(text))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quoteCEL writes text as a CEL string in which every character stands for itself.
func quoteCEL(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range text {
		switch r {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
