package registration

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTheCABeforeIsKeptFromTheConfiguration(t *testing.T) {
	now := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	ca := func(serial int64, until time.Time) []byte { return newCA(t, serial, now.Add(-24*time.Hour), until) }
	first, second, expired := ca(1, now.Add(time.Hour)), ca(2, now.Add(time.Hour)), ca(3, now.Add(-time.Minute))
	third, fourth, fifth := ca(4, now.Add(time.Hour)), ca(5, now.Add(time.Hour)), ca(6, now.Add(time.Hour))
	both := slices.Concat(second, first)
	for label, c := range map[string]struct{ own, there, want []byte }{
		"there is none":             {second, nil, second},
		"it is the same":            {second, second, second},
		"another was there":         {second, first, both},
		"it has been kept":          {second, both, both},
		"this replica knows better": {both, expired, both},
		"the other has expired":     {second, expired, second},
		"another replica saw first": {both, slices.Concat(third, both), slices.Concat(both, third)},
		"there is no room for all":  {both, slices.Concat(third, both, fourth, fifth), slices.Concat(both, third, fourth)},
	} {
		assert.Equal(t, string(c.want), string(withOthers(c.own, c.there, now)), label)
	}
}
