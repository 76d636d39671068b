// Package ruleset keeps the rule set in force: it watches RestrictedVendors,
// VendorPolicies and VendorWaivers, compiles them together on every change and
// swaps the result in as a whole, on every replica. On the leader it also writes
// what came of it into their status.
package ruleset
