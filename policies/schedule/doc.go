// Package schedule turns the dated phases of a restriction into instants.
//
// The law names days, not instants, and a day begins at different instants in
// different places. A phase that is effective on a date begins at the first
// instant of that day in the restriction's zone, and holds until the next one
// begins. Zone data is compiled in, so that every replica and every command line
// counts alike, whatever the machine below knows of zones.
package schedule
