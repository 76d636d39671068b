package command

import (
	"errors"
	"slices"

	"embargo.dev/cmd/kubectl-embargo/internal/cluster"
	"embargo.dev/cmd/kubectl-embargo/internal/importer"
	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
)

// shortfall is what a command could not take into account.
type shortfall struct {
	bad         bool // something could not be read
	unreachable bool // something could not be reached, or may not be read
}

func (s *shortfall) mark(err error) {
	beyondReach := func(kind error) bool { return errors.Is(err, kind) }
	if slices.ContainsFunc([]error{manifest.ErrUnreachable, importer.ErrUnreachable, cluster.ErrUnread}, beyondReach) {
		s.unreachable = true
	} else {
		s.bad = true
	}
}

// exit is the exit code of what could not be read, which goes before what could not
// be reached; nil where all could.
func (s *shortfall) exit() error {
	switch {
	case s.bad:
		return exit(exitBad)
	case s.unreachable:
		return exit(exitUnreachable)
	default:
		return nil
	}
}
