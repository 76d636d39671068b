// Package workloadreports writes the audit's findings for the dashboards that people
// already have: a small report for each affected workload, in the kinds of OpenReports
// or of the policy working group, whichever the cluster serves.
//
// Embargo doesn't install these kinds, and they may come and go while it runs. So
// nothing is watched: reports are listed by their label when a kind comes, and again
// from time to time. All that is told is in VendorReports too, which remember it.
package workloadreports
