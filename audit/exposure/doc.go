// Package exposure makes findings of an inventory: of every namespace, which workloads
// run what of whom, since when, and what becomes of it next. Who writes reports, in
// whatever form, writes these.
package exposure
