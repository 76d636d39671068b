// Package fairness shares bounded resources among the network addresses that ask for
// them, so that a flood from one address leaves room for all others.
package fairness
