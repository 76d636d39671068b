package app

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

// memoryShare leaves room for what the Go runtime doesn't count.
const memoryShare = 0.9

// setMemoryLimit lets the garbage collector work harder near the container's limit. An
// explicit GOMEMLIMIT wins.
func setMemoryLimit(log logr.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	switch {
	case err != nil:
		log.Info("the container's memory limit can't be read, so the garbage collector has none", "reason", err.Error())
	case limit == math.MaxInt64:
		log.Info("the container has no memory limit")
	default:
		log.Info("the garbage collector keeps memory below a limit", "GOMEMLIMIT", limit)
	}
}
