package manifest

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// CheckExclude refuses glob patterns that can't be read.
func CheckExclude(patterns []string) error {
	for _, p := range patterns {
		if p == "" || !doublestar.ValidatePattern(p) {
			return fmt.Errorf("%q is not a glob pattern such as charts/** or *.json", p)
		}
	}
	return nil
}

// excluded reports whether a pattern matches a path, or a folder that the path lies in.
func excluded(patterns []string, path string) bool {
	for _, pattern := range patterns {
		pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
		for at := 0; at >= 0; {
			part := path // up to the next slash
			next := strings.IndexByte(path[at:], '/')
			if next >= 0 {
				part = path[:at+next]
			}
			name := part
			if !strings.Contains(pattern, "/") {
				name = part[at:]
			}
			if doublestar.MatchUnvalidated(pattern, name) {
				return true
			}
			if at += next + 1; next < 0 {
				at = -1
			}
		}
	}
	return false
}
