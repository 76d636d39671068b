package schedule

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies/v1alpha1"
)

// MaxPhases is how many phases a schedule may have.
const MaxPhases = 16

// Compile makes a schedule of a restriction's time zone and phases. The errors
// name the fields below path, the path of the restriction, and what would be
// right; with any of them there is no schedule.
func Compile(path *field.Path, timeZone string, phases []v1alpha1.Phase) (*Schedule, field.ErrorList) {
	zone, err := LoadZone(timeZone)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(path.Child("timeZone"), timeZone, err.Error())}
	}
	list := path.Child("schedule")
	switch {
	case len(phases) == 0:
		return nil, field.ErrorList{field.Required(list, "at least one phase")}
	case len(phases) > MaxPhases:
		return nil, field.ErrorList{field.TooMany(list, len(phases), MaxPhases)}
	}
	s := &Schedule{zone: zone}
	var errs field.ErrorList
	names := map[string]bool{}
	for i := range phases {
		p, phaseErrs := compilePhase(list.Index(i), zone, &phases[i])
		if names[p.Phase.Phase] {
			phaseErrs = append(phaseErrs, field.Duplicate(list.Index(i).Child("phase"), p.Phase.Phase))
		}
		names[p.Phase.Phase] = true
		if i > 0 {
			phaseErrs = append(phaseErrs, compareWith(list.Index(i), &s.phases[i-1], &p)...)
		}
		errs = append(errs, phaseErrs...)
		s.phases = append(s.phases, p)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return s, nil
}

func compilePhase(path *field.Path, zone *time.Location, object *v1alpha1.Phase) (Phase, field.ErrorList) {
	var errs field.ErrorList
	p := Phase{Phase: *object, zone: zone}
	if object.Phase == "" {
		errs = append(errs, field.Required(path.Child("phase"), "a name such as sales-prohibited"))
	}
	instant, err := Instant(object.Effective, zone)
	if err != nil {
		errs = append(errs, field.Invalid(path.Child("effective"), object.Effective, err.Error()))
	}
	p.Instant = instant
	if day, isDay, err := Parse(object.Effective); err == nil && isDay {
		p.date = day
	}
	for _, use := range []struct {
		name   string
		action v1alpha1.Action
	}{{"introduce", object.Introduce}, {"update", object.Update}, {"continue", object.Continue}} {
		if !use.action.Known() {
			errs = append(errs, field.NotSupported(path.Child(use.name), use.action,
				[]v1alpha1.Action{v1alpha1.ActionAllow, v1alpha1.ActionAudit, v1alpha1.ActionWarn, v1alpha1.ActionDeny}))
		}
	}
	return p, errs
}

// compareWith checks a phase against the one before it.
func compareWith(path *field.Path, before, p *Phase) field.ErrorList {
	var errs field.ErrorList
	known := !before.Instant.IsZero() && !p.Instant.IsZero()
	if known && !p.Instant.After(before.Instant) {
		errs = append(errs, field.Invalid(path.Child("effective"), p.Effective,
			fmt.Sprintf("phases stand in order of time: must be later than %s of phase %q", before.Effective, before.Phase.Phase)))
	}
	weaker := weakerUse(before, p)
	switch {
	case weaker != "" && p.Change != v1alpha1.ChangeRelaxes:
		errs = append(errs, field.Invalid(path.Child(weaker), p.asks(weaker),
			fmt.Sprintf("is weaker than %s of phase %q before it: say change: %s if that is meant", before.asks(weaker), before.Phase.Phase, v1alpha1.ChangeRelaxes)))
	case weaker == "" && p.Change == v1alpha1.ChangeRelaxes:
		errs = append(errs, field.Invalid(path.Child("change"), p.Change,
			fmt.Sprintf("nothing in it is weaker than in phase %q before it: leave change out", before.Phase.Phase)))
	}
	return errs
}

// weakerUse returns the first use for which a phase asks less than the one
// before, "" for none.
func weakerUse(before, p *Phase) string {
	for _, use := range []string{"introduce", "update", "continue"} {
		if p.asks(use).Strength() < before.asks(use).Strength() {
			return use
		}
	}
	return ""
}

func (p *Phase) asks(use string) v1alpha1.Action {
	return map[string]v1alpha1.Action{"introduce": p.Introduce, "update": p.Update, "continue": p.Continue}[use]
}
