// Package prefilter derives from a rule set a CEL expression by which the API server
// itself keeps clean requests away from the webhook.
//
// The expression is true for every object of a built-in kind for which Evaluate could
// have a finding, whatever the date, the namespace and the policy: prefilter false
// means no finding. It is false for nearly all others. It looks for tokens: texts that
// every spelling of a restricted image must contain. It also passes on whatever can't
// be judged by searching text: images that aren't plain references, which Evaluate may
// call Unparsable, and objects too large for the API server's budget. So it never errs
// and never runs out of budget; either would be a bypass.
package prefilter
