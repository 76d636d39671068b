package command

import (
	"strings"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/policies"
)

// noteNotLookedFor names the vendors that no image can be found of, whatever runs: without a
// remark, no finding would pass for a clean result. Of a list that is given, each entry without
// images has a remark of its own.
func (s *survey) noteNotLookedFor(given map[string]manifest.Object) {
	var unrecognisable, unapplied []string
	for i := range s.vendors {
		name := s.vendors[i].Name
		_, isGiven := given["RestrictedVendor/"+name]
		switch idle := s.set.IdleVendor(name); {
		case s.set.CanFind(name):
			continue
		case !s.set.Recognises(name):
			if !isGiven {
				unrecognisable = append(unrecognisable, name)
			}
		case idle.Reason != policies.ReasonNoPolicy: // another notice says that there is no policy
			unapplied = append(unapplied, name)
		}
		s.notLookedFor = append(s.notLookedFor, name)
	}
	if len(unrecognisable) > 0 {
		s.notice("not looked for, since nothing on the list recognises their images: %s", strings.Join(unrecognisable, ", "))
	}
	if len(unapplied) > 0 {
		s.notice("not looked for, since no VendorPolicy applies a restriction of theirs: %s", strings.Join(unapplied, ", "))
	}
}

// notLookedFor names the vendors that no image could be found of in some cluster.
func (l *live) notLookedFor() []string {
	var all []string
	for _, s := range l.surveys {
		for _, name := range s.notLookedFor {
			if len(l.contexts) > 1 {
				name += " (" + s.name() + ")"
			}
			all = append(all, name)
		}
	}
	return all
}
