//go:build unix && !linux

package controlplane

import (
	"os/exec"
	"syscall"
)

// launch starts a command in a session of its own. Only Linux can tie its life to
// ours.
func launch(cmd *exec.Cmd, _ bool) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}
