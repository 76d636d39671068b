// Package preview says what writing a restricted list, a policy or a waiver would do
// to the workloads that are there: now, and at the next transition.
package preview
