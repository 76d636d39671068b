// Package load creates clean and restricted workloads at a fixed rate, as a person
// would, and records what became of each and how long it took. Requests go out by the
// clock, whether or not earlier ones have been answered, so that a slow answer delays
// no other request and hides no other's delay.
package load
