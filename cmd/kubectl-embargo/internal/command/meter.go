package command

import (
	"fmt"
	"io"
	"sync"
	"time"

	"embargo.dev/cmd/kubectl-embargo/internal/terminal"
)

// meter shows on a terminal how much has been read, and takes its line away again.
// Where there is no terminal, it shows nothing.
type meter struct {
	out      io.Writer
	terminal bool
	now      func() time.Time

	mu    sync.Mutex
	begun time.Time
	told  time.Time
	total int64
	shown bool
}

const (
	patience = time.Second // what is read sooner is not worth a line
	throttle = 200 * time.Millisecond
)

func newMeter(out io.Writer) *meter {
	return &meter{out: out, terminal: terminal.Is(out), now: time.Now, begun: time.Now()}
}

// read adds what has been read of a source.
func (m *meter) read(source string, bytes int) {
	m.add(bytes, func(total int64) string {
		return fmt.Sprintf("%.1f MB read: %s", float64(total)/1e6, shortened(source, 60))
	})
}

// listed adds objects that have been read of a cluster.
func (m *meter) listed(cluster string, objects int) {
	m.add(objects, func(total int64) string { return fmt.Sprintf("%d objects read: %s", total, shortened(cluster, 60)) })
}

func (m *meter) add(amount int, line func(total int64) string) {
	if !m.terminal {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += int64(amount)
	now := m.now()
	if now.Sub(m.begun) < patience || now.Sub(m.told) < throttle {
		return
	}
	m.told, m.shown = now, true
	fmt.Fprint(m.out, "\r\x1b[K"+line(m.total))
}

// clear takes the line away, before something else is written.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.shown = false
	}
}

// shortened keeps the end of a name, which tells more than its beginning.
func shortened(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return "…" + string(runes[len(runes)-most+1:])
}
