package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Version is the version of the built-in list: the date of its last change, with .N behind
// it for a further change on the same day. A test demands a new one with every change.
const Version = "2026-11-28.1"

var versionFormat = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.([1-9][0-9]{0,3}))?$`)

// CompareVersions returns a negative number where the version a is older than b, zero where
// they are the same, and a positive number where a is newer.
func CompareVersions(a, b string) (int, error) {
	dateA, changeA, err := parseVersion(a)
	if err != nil {
		return 0, err
	}
	dateB, changeB, err := parseVersion(b)
	if err != nil {
		return 0, err
	}
	return cmp.Or(cmp.Compare(dateA, dateB), cmp.Compare(changeA, changeB)), nil
}

// parseVersion splits a version into its date and the number of the change on that day.
func parseVersion(text string) (date string, change int, err error) {
	parts := versionFormat.FindStringSubmatch(text)
	if parts == nil {
		return "", 0, fmt.Errorf("%q is not a version of a list; want a date such as 2026-11-28, or 2026-11-28.1", text)
	}
	if parts[2] == "" {
		return parts[1], 0, nil
	}
	change, err = strconv.Atoi(parts[2])
	return parts[1], change, err
}
