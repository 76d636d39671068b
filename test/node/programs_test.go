//go:build linux

package node

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheVersionIsThatOfTheModule keeps the constant and the module together.
func TestTheVersionIsThatOfTheModule(t *testing.T) {
	content, err := os.ReadFile("../tools/containerd/go.mod")
	require.NoError(t, err)
	assert.Contains(t, string(content), "github.com/containerd/containerd/v2 "+ContainerdVersion)
}
