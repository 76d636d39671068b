package v1alpha1

// Strength orders actions: Allow < Audit < Warn < Deny. An unknown action has
// the strength of Allow.
func (a Action) Strength() int {
	switch a {
	case ActionAudit:
		return 1
	case ActionWarn:
		return 2
	case ActionDeny:
		return 3
	default:
		return 0
	}
}

// Stronger returns the stronger of two actions.
func (a Action) Stronger(b Action) Action {
	if b.Strength() > a.Strength() {
		return b
	}
	return a
}

// Weaker returns the weaker of two actions.
func (a Action) Weaker(b Action) Action {
	if b.Strength() < a.Strength() {
		return b
	}
	return a
}

// Known reports whether the action is one of the four.
func (a Action) Known() bool { return a == ActionAllow || a.Strength() > 0 }

// Count counts one more finding with the action.
func (c *ActionCounts) Count(a Action) {
	switch a {
	case ActionDeny:
		c.Deny++
	case ActionWarn:
		c.Warn++
	case ActionAudit:
		c.Audit++
	}
}
