// Package audit finds what a cluster runs of restricted vendors, on the leader.
//
// Feeds tell it of every workload, Pod and node. They become an inventory, small enough
// to keep in memory; its suspects are evaluated as an update that leaves them as they
// are would be, by the same evaluator as admission; the findings become VendorReports,
// events and metrics. A change is looked at within a fraction of a second, and at the
// instant of a transition everything is.
package audit
