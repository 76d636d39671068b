// Package modules fetches Go modules of public projects, for what lies in them beside
// code: manifests and definitions of custom resources.
package modules

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// Download returns the folder of a module, given as PATH@VERSION, from the module cache
// or the proxy. Go checks it against the checksum database.
func Download(ctx context.Context, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside any module
	output, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(output, &answer); jsonErr != nil {
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	if answer.Error != "" {
		return "", fmt.Errorf("%s: %s", cmd, answer.Error)
	}
	return answer.Dir, nil
}
