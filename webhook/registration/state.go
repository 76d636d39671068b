package registration

import (
	"context"
	"fmt"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/logging"
	"embargo.dev/policies/prefilter"
)

// Outcome says how the last round of a Registrar ended.
type Outcome int

const (
	// Unknown means that a new leader has not ended a round yet.
	Unknown Outcome = iota
	// InPlace means that the API server calls the webhook as it should.
	InPlace
	// Waiting means that the configuration needs something that is missing, such as a certificate.
	Waiting
	// Paused means that somebody paused admission.
	Paused
	// Conflict means that another installation has the configuration, and writes the statuses.
	Conflict
	// Failed means that something could not be read or written.
	Failed
)

// State says whether the API server calls the webhook and, if not, why.
type State struct {
	Outcome    Outcome
	Reason     string // why the configuration is not in place
	RuleSet    string // digest of the rule set that the configuration covers
	Prefilter  string // its size, "" where there is none
	Unfiltered string // why there is none
}

// Registered reports whether the configuration is in place.
func (s State) Registered() bool { return s.Outcome == InPlace }

// after returns the state after a round that ended so.
func (s State) after(o Outcome, reason string) State {
	s.Outcome, s.Reason = o, reason
	return s
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

// tooEarly reports whether a state may pass before it is worth reporting.
func (r *Registrar) tooEarly(state State) bool {
	now, before := r.options.Clock(), r.State()
	switch state.Outcome {
	case InPlace:
		r.failingSince = time.Time{}
		return false
	case Waiting:
		return before.Outcome == Unknown && now.Before(r.leadingSince.Add(patience))
	case Failed:
		if r.failingSince.IsZero() {
			r.failingSince = now
		}
		return (before.Registered() || before.Outcome == Unknown) && now.Before(r.failingSince.Add(patience))
	default:
		return false
	}
}

// report keeps the state, and reports it where it is new.
func (r *Registrar) report(ctx context.Context, state State, err error) {
	if ctx.Err() != nil {
		return // another replica leads, and reports
	}
	if err != nil {
		state = state.after(Failed, err.Error())
	}
	r.log(ctx, state, err)
	if r.tooEarly(state) {
		return
	}
	r.mu.Lock()
	before := r.state
	r.state = state
	r.mu.Unlock()
	setGauge(registered, state.Registered())
	setGauge(conflict, state.Outcome == Conflict)
	setGauge(prefiltered, state.Registered() && state.Prefilter != "")
	if before != state {
		r.changed.Fire()
	}
}

// log writes how a round ended, where that is new.
func (r *Registrar) log(ctx context.Context, state State, err error) {
	ended := State{Outcome: state.Outcome, Reason: state.Reason}
	if ended == r.logged {
		return
	}
	r.logged = ended
	log := logf.FromContext(ctx).WithValues("configuration", Name)
	switch state.Outcome {
	case InPlace:
		log.Info("webhook configuration in place")
	case Paused:
		logging.Warn(ctx, "nothing is refused or warned of", "reason", state.Reason, "configuration", Name)
	case Conflict:
		logging.Warn(ctx, "webhook configuration not written", "reason", state.Reason, "configuration", Name)
	case Waiting:
		log.Info("webhook configuration not written yet", "reason", state.Reason)
	default:
		log.Error(err, "webhook configuration can't be kept; trying again")
	}
}
