// Package policies decides what Embargo says about a workload.
//
// RestrictedVendors, VendorPolicies and VendorWaivers are compiled once into an
// immutable RuleSet. Evaluate then takes a Request, which holds everything that
// bears on the decision (the object, what it was before, what its owner
// carries, the namespace's labels, the user), and an Instant, and returns a
// Decision. It has no clock, no client and no other input, so that the webhook,
// the audit, the command line and a replay of a recorded request agree by
// construction.
//
// A decision is made of findings: one image field × one restriction, with the
// phase in force, the use, the action and the evidence. A denial is data, not
// an error; nothing that a request can contain makes Evaluate fail.
package policies
