package main

// exception is a finding that is meant, and why.
type exception struct {
	linter string
	about  string // part of the message
	reason string
}

// aboutPhases is why fields are called phase: the rule is against a status that sums up
// state in one word. These name a dated step of a law, and are the domain's word.
const aboutPhases = "a phase is a dated step of a restriction, not a summary of state"

var exceptions = []exception{
	{"nophase", "field Phase.Phase:", aboutPhases},
	{"nophase", "field RestrictionStatus.Phase:", aboutPhases},
	{"nophase", "field RestrictionStatus.NextPhase:", aboutPhases},
	{"nophase", "field RestrictedVendorSummary.Phase:", aboutPhases},
	{"nophase", "field ReportedNext.Phase:", aboutPhases},
	{"nophase", "field ReportedFinding.Phase:", aboutPhases},
	{"nophase", "field VendorReportSummary.Phase:", aboutPhases},
	{"noreferences", "field VendorWaiverSpec.Reference:", "a ticket's number for people, no reference to an object"},
}
