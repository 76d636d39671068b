package limits

import "embargo.dev/webhook/fairness"

// Memory is the account of one request. A nil *Memory bounds nothing.
type Memory struct{ lease *fairness.Lease }

// Grow reports whether the source may hold so many bytes more.
func (m *Memory) Grow(bytes int) bool {
	if m == nil {
		return true
	}
	if !m.lease.Grow(int64(bytes)) {
		Rejected(ReasonMemory)
		return false
	}
	memoryHeld.Add(float64(bytes))
	return true
}

// Shrink gives bytes back.
func (m *Memory) Shrink(bytes int) {
	if m == nil {
		return
	}
	m.lease.Shrink(int64(bytes))
	memoryHeld.Sub(float64(bytes))
}

// Release gives everything back.
func (m *Memory) Release() {
	if m == nil {
		return
	}
	memoryHeld.Sub(float64(m.lease.Amount()))
	m.lease.Release()
}
