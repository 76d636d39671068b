// Package lint says what is wrong with a restricted list, and what is right but would
// make a careful reviewer ask.
//
// Errors are what a cluster would refuse: the schema and the rules of the
// CustomResourceDefinition, and what doesn't compile. Warnings are about a list that a
// cluster would take, but that would do less, or more, than its writer may think.
package lint
