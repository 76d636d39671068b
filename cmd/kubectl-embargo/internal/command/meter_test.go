package command

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAMeterShowsOnATerminalWhatTakesLong(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2024, 7, 20, 0, 0, 0, 0, time.UTC)
	m := &meter{out: &out, terminal: true, now: func() time.Time { return now }, begun: now}
	m.read("a.yaml", 1_000_000)
	assert.Empty(t, out.String(), "nobody waits for this")
	now = now.Add(2 * time.Second)
	m.read("a.yaml", 1_500_000)
	assert.Equal(t, "\r\x1b[K2.5 MB read: a.yaml", out.String())
	now = now.Add(time.Millisecond)
	m.read("a.yaml", 1_000_000)
	assert.Equal(t, "\r\x1b[K2.5 MB read: a.yaml", out.String(), "not so soon again")
	m.clear()
	m.clear()
	assert.Equal(t, "\r\x1b[K2.5 MB read: a.yaml\r\x1b[K", out.String(), "taken away once")
}

func TestAMeterIsSilentWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	m := newMeter(&out)
	m.begun = time.Time{}
	m.read("a.yaml", 1)
	m.clear()
	assert.Empty(t, out.String())
}

func TestAMeterCountsObjectsOfClusters(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2024, 7, 20, 0, 0, 0, 0, time.UTC)
	m := &meter{out: &out, terminal: true, now: func() time.Time { return now.Add(2 * time.Second) }, begun: now}
	m.listed("production", 500)
	assert.Equal(t, "\r\x1b[K500 objects read: production", out.String())
}
