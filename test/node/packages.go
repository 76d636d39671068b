//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// plugins is where Debian has the network plugins.
const plugins = "/usr/lib/cni"

// needed are programs that come with the operating system, by Debian's package.
var needed = []struct{ pkg, program string }{
	{"runc", "runc"},
	{"containernetworking-plugins", plugins + "/bridge"},
	{"conntrack", "conntrack"},
	{"iptables", "iptables"},
	{"iproute2", "ip"},
	{"mount", "mount"},
}

// installPackages installs those of Debian's packages that are missing.
func installPackages(ctx context.Context, _ string) error {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("a node needs what Debian's packages %s have; install it by this system's means", strings.Join(missing, ", "))
	}
	fmt.Fprintln(os.Stderr, "installing Debian's packages", strings.Join(missing, ", "))
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, output)
		}
	}
	if missing := missingPackages(); len(missing) > 0 {
		return errors.New("installed, but still without a program: " + strings.Join(missing, ", "))
	}
	return nil
}

func missingPackages() []string {
	var missing []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}
