// Package random generates restricted lists, mirrors, images and workloads that often
// meet, for tests of what must hold for all of them.
package random
