// Package reports writes VendorReports: one for each namespace and vendor that has
// findings there, bounded, in a fixed order, only when its content changed and at most
// once a second.
//
// Reports are also what the audit remembers findings by. A new leader reads them first,
// so that nothing depends on the one before it having stopped in an orderly way.
package reports
