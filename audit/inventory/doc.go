// Package inventory keeps what a cluster runs, in little memory: of each object its
// names, its owner and a reference to what it carries, which all replicas of a workload
// share. It knows which objects are suspects, so that a look at a namespace costs as
// much as what is to be found there, not as much as what runs there.
//
// An Inventory is for one goroutine.
package inventory
