package cluster_test

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
)

func TestEveryFlagOfManyContextsReachesEach(t *testing.T) {
	flags := cluster.NewFlagsForMany()
	registered(flags).VisitAll(func(f *pflag.Flag) {
		value := map[string]string{"bool": "true"}[f.Value.Type()]
		if value == "" {
			value = f.Name
		}
		require.NoError(t, f.Value.Set(value))
	})
	given, one := registered(flags), registered(cluster.InContext(flags, "production"))
	given.VisitAll(func(f *pflag.Flag) {
		assert.Equal(t, f.Value.String(), one.Lookup(f.Name).Value.String(), f.Name)
	})
	assert.Equal(t, "production", one.Lookup("context").Value.String())
}

func registered(flags *genericclioptions.ConfigFlags) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddFlags(set)
	return set
}
