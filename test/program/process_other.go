//go:build unix && !linux

package program

import (
	"os/exec"
	"syscall"
)

// launch starts a command in a session of its own. Only Linux can tie its life to
// ours.
func launch(cmd *exec.Cmd, _ Surroundings) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}
