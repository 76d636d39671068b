package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/policies/catalog"
)

func TestSelection(t *testing.T) {
	for name, c := range map[string]struct {
		selection catalog.Selection
		kaspersky bool
		zte       bool
	}{
		"nothing":                {nil, false, false},
		"everything":             {catalog.Selection{"*"}, true, true},
		"one":                    {catalog.Selection{"zte"}, false, true},
		"all but one":            {catalog.Selection{"*", "!zte"}, true, false},
		"left out and named too": {catalog.Selection{"*", "zte", "!zte"}, true, false},
	} {
		assert.Equal(t, c.kaspersky, c.selection.Has("kaspersky"), name)
		assert.Equal(t, c.zte, c.selection.Has("zte"), name)
		for i := range c.selection {
			require.NoError(t, c.selection.CheckEntry(i), name)
		}
	}
	wrong := catalog.Selection{"*", "kasperski", "!zt", "**", ""}
	for i, says := range map[int]string{
		1: `no built-in vendor is named "kasperski"`, 2: `no built-in vendor is named "zt"`, 3: `named "**"`, 4: `named ""`,
	} {
		require.ErrorContains(t, wrong.CheckEntry(i), says)
	}
	assert.ErrorContains(t, catalog.Selection{"!zte"}.CheckEntry(0), `add "*" for all other vendors`)
}
