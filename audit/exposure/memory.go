package exposure

import (
	"slices"
	"strings"
	"time"

	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Memory is what is kept of a finding from audit to audit.
type Memory struct {
	Workload        Workload
	Image           string // as written
	Since           time.Time
	SinceFrom       v1alpha1.SinceFrom
	Imported        bool // Since comes from an imported report
	ArrivedAfterBan bool
	ArrivalWaiver   string
	Covered         bool     // a waiver covered the arrival, also where its name is forgotten
	Digests         []string // of manifests that ran when something last ran
	UpdatedFrom     string
	Phase           string
	NextPhase       string
	ToldDaysBefore  int32
	RuleSet         string
	At              time.Time // when it was last otherwise
	// Partial says that nothing else is known than since when, how it arrived, and for how
	// many days before the next phase that was told.
	Partial bool
}

// Recall looks up what an audit remembers of a finding on a workload; false where that is
// nothing.
type Recall func(Key, Workload) (Memory, bool)

// Remember returns what is to be kept of the finding.
func (f *Finding) Remember(ruleSet string, now time.Time, before Memory) Memory {
	m := Memory{
		Workload: f.Workload, Image: f.Image,
		Since: f.Since, SinceFrom: f.SinceFrom, Imported: f.Imported, ArrivedAfterBan: f.ArrivedAfterBan, ArrivalWaiver: f.ArrivalWaiver,
		Digests: f.manifestDigests(), UpdatedFrom: f.UpdatedFrom, Phase: f.Phase, ToldDaysBefore: f.ToldDaysBefore, RuleSet: ruleSet, At: now,
	}
	m.Covered = before.Covered || f.ArrivalWaiver != ""
	if len(m.Digests) == 0 {
		m.Digests = before.Digests
	}
	if f.Next != nil {
		m.NextPhase = f.Next.Phase
	}
	return m
}

// movedFrom returns the digest that an image ran with before, where another one came
// under the same tag; "" where none did. Two that were there from the first look on are
// no update: nobody knows which was first.
func movedFrom(image string, running []string, before Memory) string {
	if strings.Contains(image, "@") {
		return ""
	}
	if len(running) == 0 || len(before.Digests) == 0 {
		return before.UpdatedFrom
	}
	if len(running) == 1 && running[0] == before.UpdatedFrom {
		return "" // it moved back
	}
	for _, digest := range running {
		if !slices.Contains(before.Digests, digest) {
			return before.Digests[0]
		}
	}
	return before.UpdatedFrom
}

// nearDays are how long before a phase begins people are told of it.
var nearDays = []int32{30, 7, 1}

// DaysTold are all that a memory may hold of ToldDaysBefore.
func DaysTold() []int32 { return append([]int32{0}, nearDays...) }

// reached returns the fewest of those days that are reached with so much left, 0 for
// none.
func reached(left time.Duration) int32 {
	var fewest int32
	for _, days := range nearDays {
		if left <= time.Duration(days)*24*time.Hour {
			fewest = days
		}
	}
	return fewest
}

// NextTelling returns when the next phase of the finding is next to be told of; false
// where all was.
func (f *Finding) NextTelling(now time.Time) (time.Time, bool) {
	if f.Next == nil {
		return time.Time{}, false
	}
	for _, days := range nearDays {
		if at := f.Next.Begins.Add(-time.Duration(days) * 24 * time.Hour); at.After(now) {
			return at, true
		}
	}
	return time.Time{}, false
}

// tell finds out what is new of the finding since it was remembered, or since everything
// was last looked at.
func (g *gathering) tell(f *Finding, one *gathered, before Memory) {
	switch {
	case !f.Known && g.began(f, one):
		f.News = append(f.News, PhaseBegan)
	case !f.Known:
		f.News = append(f.News, Restricted)
	case f.Phase != before.Phase && before.Phase != "" && (before.RuleSet == g.Rules.Digest() || f.Effective != nil && f.Effective.After(before.At)):
		f.News = append(f.News, PhaseBegan)
	}
	if f.Next == nil {
		return
	}
	if before.Partial {
		before.NextPhase = f.Next.Phase
	}
	f.ToldDaysBefore = reached(f.Next.Begins.Sub(g.Now))
	if f.ToldDaysBefore != 0 && (f.Next.Phase != before.NextPhase || before.ToldDaysBefore == 0 || f.ToldDaysBefore < before.ToldDaysBefore) {
		f.News = append(f.News, PhaseNear)
	}
}

// began reports whether a finding is there because a phase began: the same image made
// none when everything was last looked at.
func (g *gathering) began(f *Finding, one *gathered) bool {
	if g.Last.IsZero() {
		return false
	}
	then := unchanged(g.Rules, one.carrier.Body.Kind, g.namespaces[one.carrier.Namespace.Name], &one.image, policies.At(g.Last))
	return !slices.ContainsFunc(then, func(was policies.Finding) bool { return was.Vendor == f.Vendor && was.Restriction == f.Restriction })
}
