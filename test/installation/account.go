package installation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"embargo.dev/test/controlplane"
)

// Kubeconfig writes a kubeconfig by which the controller runs with the rights that the
// manifests give its service account, and no more, and returns its path.
func Kubeconfig(ctx context.Context, plane *controlplane.ControlPlane, dir string) (string, error) {
	token, err := plane.Kubectl(ctx, "-n", "embargo-system", "create", "token", "embargo", "--duration=24h").Output()
	if err != nil {
		return "", fmt.Errorf("token of the service account: %w", err)
	}
	content, err := os.ReadFile(plane.Kubeconfig())
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "embargo.kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"config", "set-credentials", "embargo", "--token=" + strings.TrimSpace(string(token))},
		{"config", "set-context", "--current", "--user=embargo"},
	} {
		cmd := plane.Kubectl(ctx, append([]string{"--kubeconfig=" + path}, args...)...)
		if output, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", args, err, output)
		}
	}
	return path, nil
}
