package fairness_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/webhook/fairness"
)

func source(n int) fairness.Source { return fairness.SourceOf(fmt.Sprintf("10.0.0.%d:1", n)) }

func TestSourceOf(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"ports don't count", "10.0.0.1:1", "10.0.0.1:2", true},
		{"addresses count", "10.0.0.1:1", "10.0.0.2:1", false},
		{"IPv4 in IPv6 is IPv4", "[::ffff:10.0.0.1]:1", "10.0.0.1:1", true},
		{"IPv4 in IPv6 is no network", "[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:1", false},
		{"an IPv6 network is one source", "[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true},
		{"IPv6 networks count", "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
		{"zones don't count", "[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"what can't be parsed is one source", "@", "pipe", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.same, fairness.SourceOf(c.a) == fairness.SourceOf(c.b))
		})
	}
}

func TestPoolLeavesRoomForTheNextSource(t *testing.T) {
	pool := fairness.NewPool(512)
	count := func(n int) int {
		for held := 0; ; held++ {
			if _, ok := pool.Acquire(source(n), 1); !ok {
				return held
			}
		}
	}
	assert.Equal(t, 256, count(1), "one source gets half")
	assert.Equal(t, 128, count(2), "the next one half of the rest")
	assert.Equal(t, 64, count(3))
}

func TestPoolGivesOneSourceALargeBlockOnlyWhereRoomIsLeft(t *testing.T) {
	pool := fairness.NewPool(100)
	lease, ok := pool.Acquire(source(1), 30)
	require.True(t, ok)
	assert.False(t, lease.Grow(41), "71 of 70")
	assert.True(t, lease.Grow(40), "70 of 70")
	_, ok = pool.Acquire(source(2), 30)
	assert.True(t, ok, "a newcomer may take all of the rest")
}

func TestPoolEvictsForANewcomer(t *testing.T) {
	pool := fairness.NewPool(64)
	evicted := map[int]int{}
	take := func(n int) bool {
		_, ok := pool.AcquireEvictable(source(n), func() { evicted[n]++ })
		return ok
	}
	// Many sources together exhaust the pool.
	for n := 1; n <= 20; n++ {
		for take(n) && n <= 6 {
		}
	}
	for range 3 {
		assert.True(t, take(100), "the newcomer gets in")
	}
	assert.NotEmpty(t, evicted)
	assert.NotContains(t, evicted, 100, "nobody evicts itself")
}

func TestPoolDoesNotEvictAfterRelease(t *testing.T) {
	pool := fairness.NewPool(2)
	first, ok := pool.AcquireEvictable(source(1), func() { t.Error("it was released") })
	require.True(t, ok)
	first.Release()
	first.Release()
	for n := range 2 {
		lease, ok := pool.Acquire(source(2+n), 1)
		require.True(t, ok)
		defer lease.Release()
	}
	_, ok = pool.AcquireEvictable(source(4), func() {})
	assert.False(t, ok)
}

// TestPoolProperties: whatever sources do, the pool counts right, nobody takes more than its
// share, and everything comes back.
func TestPoolProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 40
		pool := fairness.NewPool(size)
		type holding struct {
			lease *fairness.Lease
			n     int
			gone  *bool
		}
		var leases []holding
		held := func(n int) (total int64) {
			for _, h := range leases {
				if h.n == n {
					total += h.lease.Amount()
				}
			}
			return total
		}
		free := func() int64 {
			all := int64(size)
			for _, h := range leases {
				all -= h.lease.Amount()
			}
			return all
		}
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				n, amount := rapid.IntRange(1, 4).Draw(t, "source"), int64(rapid.IntRange(0, 20).Draw(t, "amount"))
				want := held(n)+amount <= free()
				lease, ok := pool.Acquire(source(n), amount)
				if ok != want {
					t.Fatalf("acquired %d: %v", amount, ok)
				}
				if ok {
					leases = append(leases, holding{lease: lease, n: n})
				}
			},
			"acquire evictable": func(t *rapid.T) {
				n := rapid.IntRange(1, 4).Draw(t, "source")
				mayTake := held(n)+1 <= free()
				gone := new(bool)
				lease, ok := pool.AcquireEvictable(source(n), func() { *gone = true })
				if mayTake && !ok {
					t.Fatal("within its share")
				}
				if ok {
					leases = append(leases, holding{lease, n, gone})
				}
			},
			"grow": func(t *rapid.T) {
				if len(leases) == 0 {
					return
				}
				h := leases[rapid.IntRange(0, len(leases)-1).Draw(t, "lease")]
				if h.gone != nil {
					return // those hold one
				}
				amount := int64(rapid.IntRange(1, 20).Draw(t, "amount"))
				want := held(h.n)+amount <= free()
				if h.lease.Grow(amount) != want {
					t.Fatal("grow")
				}
			},
			"shrink": func(t *rapid.T) {
				if len(leases) == 0 {
					return
				}
				leases[rapid.IntRange(0, len(leases)-1).Draw(t, "lease")].lease.Shrink(int64(rapid.IntRange(1, 20).Draw(t, "amount")))
			},
			"release": func(t *rapid.T) {
				if len(leases) == 0 {
					return
				}
				i := rapid.IntRange(0, len(leases)-1).Draw(t, "lease")
				leases[i].lease.Release()
				leases = append(leases[:i], leases[i+1:]...)
			},
			"": func(t *rapid.T) {
				if free() < 0 {
					t.Fatal("more is held than there is")
				}
				for _, h := range leases {
					if h.gone != nil && *h.gone && h.lease.Amount() != 0 {
						t.Fatal("an evicted lease holds something")
					}
				}
			},
		})
		for _, h := range leases {
			h.lease.Release()
		}
		if _, ok := pool.Acquire(source(9), size); !ok {
			t.Fatal("something was not given back")
		}
	})
}
