package output

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"embargo.dev/audit/forecast"
	"embargo.dev/internal/display"
	"embargo.dev/policies/schedule"
	"embargo.dev/policies/v1alpha1"
)

// KindForecast is the kind of a Forecast.
const KindForecast = "ForecastResult"

// Forecast is what becomes of what runs; scripts depend on its shape.
type Forecast struct {
	APIVersion  string          `json:"apiVersion"`
	Kind        string          `json:"kind"`
	AsOf        string          `json:"asOf"`
	Until       string          `json:"until"`
	RuleSet     string          `json:"ruleSet"`
	Notices     []string        `json:"notices"`
	Summary     ForecastSummary `json:"summary"`
	Transitions []Transition    `json:"transitions"`
	Clusters    []Cluster       `json:"clusters"`
	Errors      []InputError    `json:"errors"` // what could not be read

	Background `json:"-"`
}

// ForecastSummary counts what was read and what is to come.
type ForecastSummary struct {
	Objects     int `json:"objects"`
	Images      int `json:"images"`
	Transitions int `json:"transitions"`
	Workloads   int `json:"workloads"` // that any of them newly affects
}

// Transition is an instant at which decisions change, with what it newly affects.
type Transition struct {
	At   time.Time `json:"at"`
	Days int       `json:"days"` // midnights until then, in the zone of the first cause
	// Left is the time until then, and Zone that of the first cause.
	Left     time.Duration  `json:"-"`
	Zone     *time.Location `json:"-"`
	Causes   []Cause        `json:"causes"`
	Affected []Affected     `json:"affected"`
}

// The types of a Cause.
const (
	PhaseBegins   = "PhaseBegins"
	WaiverExpires = "WaiverExpires"
)

// Cause is why decisions change at an instant.
type Cause struct {
	Type        string     `json:"type"`
	Clusters    []string   `json:"clusters"`
	Vendor      string     `json:"vendor"`
	Restriction string     `json:"restriction"` // "" for a waiver
	Phase       string     `json:"phase"`
	Effective   *time.Time `json:"effective"` // of the phase, by law; null for a waiver
	On          string     `json:"on"`        // the day of the instant in the restriction's zone
	Summary     string     `json:"summary"`
	Citation    string     `json:"citation"`
	// Verification says where the date was read.
	Verification v1alpha1.Verification `json:"verification"`
	Policies     []string              `json:"policies"` // under which the phase begins then
	Waiver       string                `json:"waiver"`
}

// Affected is an image of a workload that is newly warned about or refused. Its action
// and use are the strongest that are new.
type Affected struct {
	Finding

	Continue forecast.Change `json:"continue"` // as it runs
	Update   forecast.Change `json:"update"`   // to another tag or digest
	Restart  forecast.Change `json:"restart"`  // of a Pod made in place of one that runs
	Effects  []string        `json:"effects"`
}

// What a transition can bring.
const (
	effectWarned          = "running is warned about"
	effectUpdatesWarned   = "updates are warned about"
	effectUpdatesRefused  = "updates are refused"
	effectRestartsWarned  = "restarts are warned about"
	effectRestartsRefused = "restarts are refused"
)

// EffectsOf says in words what changes, and returns the strongest new action.
func EffectsOf(running, update, restart forecast.Change) ([]string, v1alpha1.Action) {
	effects, strongest := []string{}, v1alpha1.ActionAllow
	for _, e := range []struct {
		change forecast.Change
		action v1alpha1.Action
		text   string
	}{
		{running, v1alpha1.ActionWarn, effectWarned},
		{update, v1alpha1.ActionWarn, effectUpdatesWarned},
		{update, v1alpha1.ActionDeny, effectUpdatesRefused},
		{restart, v1alpha1.ActionWarn, effectRestartsWarned},
		{restart, v1alpha1.ActionDeny, effectRestartsRefused},
	} {
		if e.change.Reaches(e.action) {
			effects = append(effects, e.text)
			strongest = strongest.Stronger(e.action)
		}
	}
	return effects, strongest
}

// Count counts transitions and workloads.
func (f *Forecast) Count() {
	f.Summary.Transitions = len(f.Transitions)
	workloads := map[Image]bool{}
	for _, a := range f.affected() {
		workloads[a.workload()] = true
	}
	f.Summary.Workloads = len(workloads)
}

// Strongest is the strongest action that is new at any transition.
func (f *Forecast) Strongest() v1alpha1.Action { return strongest(f.affected()) }

func (f *Forecast) affected() []Finding {
	var all []Finding
	for _, t := range f.Transitions {
		for _, a := range t.Affected {
			all = append(all, a.Finding)
		}
	}
	return all
}

// Add adds what a cluster's forecast has, in order of time. What several clusters have
// in common is one transition.
func (f *Forecast) Add(t Transition) {
	i := slices.IndexFunc(f.Transitions, func(o Transition) bool { return o.At.Equal(t.At) })
	if i < 0 {
		f.Transitions = append(f.Transitions, t)
		slices.SortStableFunc(f.Transitions, func(a, b Transition) int { return a.At.Compare(b.At) })
		return
	}
	into := &f.Transitions[i]
	into.Affected = append(into.Affected, t.Affected...)
	for _, c := range t.Causes {
		same := slices.IndexFunc(into.Causes, c.same)
		if same < 0 {
			into.Causes = append(into.Causes, c)
		} else {
			into.Causes[same].Clusters = append(into.Causes[same].Clusters, c.Clusters...)
		}
	}
}

func (c Cause) same(o Cause) bool {
	return c.Type == o.Type && c.Vendor == o.Vendor && c.Restriction == o.Restriction && c.Phase == o.Phase && c.Waiver == o.Waiver &&
		slices.Equal(c.Policies, o.Policies)
}

// text says the cause in few words.
func (c Cause) text() string {
	if c.Type == WaiverExpires {
		return fmt.Sprintf("waiver %s expires", c.Waiver)
	}
	return fmt.Sprintf("%s/%s: %s", c.Vendor, c.Restriction, c.Phase)
}

func (t Transition) cause() string {
	texts := make([]string, 0, len(t.Causes))
	for _, c := range t.Causes {
		texts = append(texts, c.text())
	}
	return strings.Join(texts, "; ")
}

// near reports whether people need the transition's time beside its day.
func (t Transition) near() bool {
	return t.Zone != nil && t.Left > 0 && schedule.Near(t.now(), t.At)
}

// now is the instant that is looked from.
func (t Transition) now() time.Time { return t.At.Add(-t.Left) }

// on is the day of the first cause, with the time where it is near.
func (t Transition) on() string {
	if t.near() {
		return schedule.Clock(t.At, t.Zone)
	}
	return t.date()
}

// date is the day of the first cause.
func (t Transition) date() string {
	if len(t.Causes) == 0 {
		return day(t.At, time.UTC)
	}
	return t.Causes[0].On
}

// daysLeft is the number of days, or a shorter time with its unit.
func (t Transition) daysLeft() string {
	if !t.near() {
		return strconv.Itoa(t.Days)
	}
	return t.left()
}

// left is how long there is.
func (t Transition) left() string {
	if !t.near() {
		return schedule.Days(t.Days)
	}
	return schedule.Left(t.now(), t.At, t.Zone)
}

// unread reports whether no cluster could be read, so that nothing is known.
func (f *Forecast) unread() bool { return noneRead(f.Errors, f.Clusters) }

// noneRead reports whether no cluster could be read.
func noneRead(errs []InputError, clusters []Cluster) bool {
	return len(errs) > 0 && !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.RuleSet != "" })
}

// sentence sums the forecast up. What is empty says so.
func (f *Forecast) sentence() string {
	read := fmt.Sprintf("%s with %s", display.Count(f.Summary.Objects, "object"), display.Count(f.Summary.Images, "image"))
	span := fmt.Sprintf("after %s and up to %s", shortInstant(f.AsOf), f.Until)
	switch {
	case f.unread():
		return fmt.Sprintf("What changes %s is unknown: nothing could be read.", span)
	case len(f.Transitions) == 0 && len(f.Errors) > 0:
		return fmt.Sprintf("Nothing changes %s in what could be read: %s. The rest is unknown.", span, read)
	case len(f.Errors) > 0:
		return fmt.Sprintf("%s %s newly affecting %s in what could be read: %s. The rest is unknown.",
			display.Count(len(f.Transitions), "transition"), span, display.Count(f.Summary.Workloads, "running workload"), read)
	case len(f.Transitions) == 0:
		return fmt.Sprintf("Nothing changes %s: no phase begins, and no waiver expires. Read: %s.", span, read)
	case f.Summary.Workloads == 0:
		return fmt.Sprintf("%s %s, and no running workload is newly affected. Read: %s.", display.Count(len(f.Transitions), "transition"), span, read)
	default:
		return fmt.Sprintf("%s %s newly affecting %s. Read: %s.",
			display.Count(len(f.Transitions), "transition"), span, display.Count(f.Summary.Workloads, "running workload"), read)
	}
}
