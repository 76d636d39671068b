// Package condition evaluates match conditions as the API server does: in its own CEL
// environment, with its cost accounting.
package condition

import (
	"context"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/environment"
)

// What the API server lets an expression cost, and all expressions of an entry together
// (apiserver, pkg/apis/cel).
const (
	PerExpression = 1_000_000
	PerEntry      = 2_500_000
)

// Condition is a compiled match condition.
type Condition struct{ evaluator celplugin.ConditionEvaluator }

// Compile compiles an expression as the current version does for a new configuration.
func Compile(t require.TestingT, expression string) Condition {
	return CompileFor(t, environment.DefaultCompatibilityVersion(), expression)
}

// CompileFor compiles as an API server of a version does: only with functions that were
// there then.
func CompileFor(t require.TestingT, v *version.Version, expression string) Condition {
	compiler := celplugin.NewConditionCompiler(environment.MustBaseEnvSet(v))
	evaluator := compiler.CompileCondition([]celplugin.ExpressionAccessor{&matchconditions.MatchCondition{Name: "condition", Expression: expression}},
		celplugin.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions)
	require.Empty(t, evaluator.CompilationErrors())
	return Condition{evaluator}
}

// Holds evaluates the condition for a request within the API server's budget; it must
// neither err nor run out.
func (c Condition) Holds(t require.TestingT, request *admissionv1.AdmissionRequest, object, old runtime.Object) bool {
	holds, _ := c.HoldsFor(t, nil, request, object, old)
	return holds
}

// HoldsFor does so for a request whose user has the rights that an authorizer says, and
// returns the cost too.
func (c Condition) HoldsFor(t require.TestingT, rights authorizer.UnconditionalAuthorizer, request *admissionv1.AdmissionRequest, object, old runtime.Object) (holds bool, cost int64) {
	results, remaining, err := c.evaluator.ForInput(context.Background(), &admission.VersionedAttributes{
		Attributes:      admission.NewAttributesRecord(object, old, schema.GroupVersionKind{}, "", "", schema.GroupVersionResource{}, "", "", nil, false, &user.DefaultInfo{Name: request.UserInfo.Username}),
		VersionedObject: admission.NewLazyObject(object), VersionedOldObject: admission.NewLazyObject(old),
	}, request, celplugin.OptionalVariableBindings{Authorizer: rights}, nil, PerEntry)
	require.NoError(t, err)
	require.NoError(t, results[0].Error)
	require.Less(t, PerEntry-remaining, int64(PerExpression))
	return results[0].EvalResult.Value().(bool), PerEntry - remaining
}
