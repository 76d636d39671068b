package registration

import (
	"context"
	"errors"
	"fmt"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
	"embargo.dev/policies/prefilter"
)

// State says whether the API server calls the webhook and, if not, why.
type State struct {
	Looked     bool // false while a new leader doesn't know yet
	Registered bool
	Conflict   bool // another installation has the configuration, and writes the statuses
	Reason     string
	RuleSet    string // digest of the rule set that the configuration covers
	Prefilter  string // its size, "" where there is none
	Unfiltered string // why there is none
}

// describe says which prefilter the state has, or why there is none.
func (s *State) describe(filter *prefilter.Prefilter, err error) {
	if err != nil {
		s.Unfiltered = err.Error()
		prefilterTokens.Set(0)
		return
	}
	s.Prefilter = fmt.Sprintf("%d tokens, searched in up to %d characters of images", filter.Tokens, filter.MaxText)
	prefilterTokens.Set(float64(filter.Tokens))
}

// State returns how things stand.
func (r *Registrar) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Changed receives after the state changed.
func (r *Registrar) Changed() <-chan struct{} { return r.changed }

// patience is how long a leader may lack what it needs, such as its certificate when it
// is new, or may fail, before that is told. What was written before is in force meanwhile:
// to say of every object that it isn't enforced, and a moment later that it is, would be
// wrong, and two writes for each.
const patience = 10 * time.Second

// tooEarly reports whether an error may be over before it is worth telling.
func (r *Registrar) tooEarly(err error) bool {
	now, before := r.options.Clock(), r.State()
	_, paused := errors.AsType[errPaused](err)
	_, conflicting := errors.AsType[errConflict](err)
	notYet := errNotYet("")
	switch {
	case err == nil:
		r.failingSince = time.Time{}
		return false
	case paused, conflicting:
		return false
	case errors.As(err, &notYet):
		return !before.Looked && now.Before(r.leadingSince.Add(patience))
	}
	if r.failingSince.IsZero() {
		r.failingSince = now
	}
	return (before.Registered || !before.Looked) && now.Before(r.failingSince.Add(patience))
}

// report keeps the state and tells of it where it is new.
func (r *Registrar) report(ctx context.Context, state State, err error) {
	if ctx.Err() != nil {
		return // somebody else leads, and will tell
	}
	r.log(ctx, err)
	if r.tooEarly(err) {
		return
	}
	_, state.Conflict = errors.AsType[errConflict](err)
	state.Looked, state.Registered = true, err == nil
	if err != nil {
		state.Reason = err.Error()
	}
	r.mu.Lock()
	before := r.state
	r.state = state
	r.mu.Unlock()
	registered.Set(map[bool]float64{true: 1}[state.Registered])
	conflict.Set(map[bool]float64{true: 1}[state.Conflict])
	prefiltered.Set(map[bool]float64{true: 1}[state.Registered && state.Prefilter != ""])
	if before != state {
		r.changed.Fire()
	}
}

// log writes how things went, where that is new.
func (r *Registrar) log(ctx context.Context, err error) {
	said := "in place"
	if err != nil {
		said = err.Error()
	}
	if said == r.said {
		return
	}
	r.said = said
	log := logf.FromContext(ctx).WithValues("configuration", Name)
	if notYet := errNotYet(""); err == nil {
		log.Info("webhook configuration in place")
	} else if _, ok := errors.AsType[errPaused](err); ok {
		logging.Warn(ctx, "nothing is refused or warned of", "reason", said, "configuration", Name)
	} else if _, ok := errors.AsType[errConflict](err); ok {
		logging.Warn(ctx, "webhook configuration not written", "reason", said, "configuration", Name)
	} else if errors.As(err, &notYet) {
		log.Info("webhook configuration not written yet", "reason", said)
	} else {
		log.Error(err, "webhook configuration can't be kept; trying again")
	}
}
