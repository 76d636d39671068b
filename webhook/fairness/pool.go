package fairness

import "sync"

// Pool is a bounded amount of a resource, such as connections or bytes. A source may take
// more only while all that it would hold is at most what is still free. So one source gets
// half of the pool, two get a third each, and there is room for the next.
//
// Many sources together can still exhaust a pool. Then a newcomer evicts a lease of the
// source that holds the most, if that lease can be evicted.
type Pool struct {
	mu      sync.Mutex
	free    int64
	holders map[Source]*holder
}

// holder is a source that holds something.
type holder struct {
	amount    int64
	evictable []*Lease // oldest first
}

// NewPool returns a pool of the given size.
func NewPool(size int64) *Pool {
	return &Pool{free: size, holders: map[Source]*holder{}}
}

// Lease is what somebody holds of a pool.
type Lease struct {
	pool   *Pool
	source Source
	amount int64
	evict  func()
}

// Acquire takes an amount for a source, or reports that it is past the source's share.
func (p *Pool) Acquire(source Source, amount int64) (*Lease, bool) {
	lease := &Lease{pool: p, source: source}
	return lease, lease.Grow(amount)
}

// AcquireEvictable takes one for a source. The pool calls evict when another source with
// less needs the room, and counts the lease as released from then on. It calls evict at
// most once, never after Release, and with its lock held: evict must neither block nor use
// the pool.
func (p *Pool) AcquireEvictable(source Source, evict func()) (*Lease, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lease := &Lease{pool: p, source: source, evict: evict}
	if !p.take(lease, 1) && (!p.evictFor(source) || !p.takeLast(lease)) {
		return nil, false
	}
	h := p.holders[source]
	h.evictable = append(h.evictable, lease)
	return lease, true
}

// Grow adds an amount to the lease, or reports that it is past the source's share.
func (l *Lease) Grow(amount int64) bool {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	return l.pool.take(l, amount)
}

// Shrink gives back a part of the lease.
func (l *Lease) Shrink(amount int64) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.pool.giveBack(l, min(amount, l.amount))
}

// Amount returns how much the lease holds.
func (l *Lease) Amount() int64 {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	return l.amount
}

// Release gives back the whole lease. Releasing it again does nothing.
func (l *Lease) Release() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.pool.giveBack(l, l.amount)
}

// take moves an amount into the lease if the source's share allows it.
func (p *Pool) take(l *Lease, amount int64) bool {
	var held int64
	if h, ok := p.holders[l.source]; ok {
		held = h.amount
	}
	if held+amount > p.free {
		return false
	}
	p.move(l, amount)
	return true
}

// takeLast takes one out of what an eviction has freed, whatever the share: the source
// holds less than the one that made room for it.
func (p *Pool) takeLast(l *Lease) bool {
	if p.free < 1 {
		return false
	}
	p.move(l, 1)
	return true
}

func (p *Pool) move(l *Lease, amount int64) {
	h, ok := p.holders[l.source]
	if !ok {
		h = &holder{}
		p.holders[l.source] = h
	}
	p.free -= amount
	h.amount += amount
	l.amount += amount
}

// evictFor evicts the newest lease of the source that holds the most, if that is more than
// the newcomer would hold afterwards.
func (p *Pool) evictFor(newcomer Source) bool {
	var largest *holder
	for source, h := range p.holders {
		if source != newcomer && len(h.evictable) > 0 && (largest == nil || h.amount > largest.amount) {
			largest = h
		}
	}
	after := int64(1)
	if h, ok := p.holders[newcomer]; ok {
		after += h.amount
	}
	if largest == nil || largest.amount <= after {
		return false
	}
	victim := largest.evictable[len(largest.evictable)-1]
	p.giveBack(victim, victim.amount)
	victim.evict()
	return true
}

func (p *Pool) giveBack(l *Lease, amount int64) {
	h, ok := p.holders[l.source]
	if !ok || amount == 0 {
		return
	}
	p.free += amount
	h.amount -= amount
	l.amount -= amount
	if l.amount == 0 && l.evict != nil {
		h.forget(l)
	}
	if h.amount == 0 {
		delete(p.holders, l.source)
	}
}

func (h *holder) forget(l *Lease) {
	for i, other := range h.evictable {
		if other == l {
			h.evictable = append(h.evictable[:i], h.evictable[i+1:]...)
			return
		}
	}
}
