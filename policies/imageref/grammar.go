package imageref

import "strings"

// The grammar of github.com/distribution/reference, which containerd and the
// kubelet use, written as scans over bytes: its regular expressions cost more than
// all that is done with the result.

const (
	maxPath = 255 // RepositoryNameTotalLengthMax
	maxTag  = 128
)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// validSegment accepts path-component: lower-case letters and digits, separated by
// one period, one or two underscores, or any number of dashes.
func validSegment(s string) bool {
	alphanumeric := func(c byte) bool { return isLower(c) || isDigit(c) }
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && alphanumeric(s[i]) {
			i++
		}
		if i == start {
			return false
		}
		if i == len(s) {
			return true
		}
		separator := i
		for i < len(s) && !alphanumeric(s[i]) {
			i++
		}
		if !validSeparator(s[separator:i]) {
			return false
		}
	}
	return false
}

func validSeparator(s string) bool {
	return s == "." || s == "_" || s == "__" || strings.Trim(s, "-") == ""
}

// validPath accepts remote-name.
func validPath(s string) bool {
	for {
		segment, rest, more := strings.Cut(s, "/")
		if !validSegment(segment) {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

// validHost accepts domain-name or an IPv6 address in brackets, with an optional
// port.
func validHost(s string) bool {
	name, port := splitPort(s)
	if name != s && (port == "" || !allBytes(port, isDigit)) {
		return false
	}
	if strings.HasPrefix(name, "[") {
		return validIPv6(name)
	}
	for {
		label, rest, more := strings.Cut(name, ".")
		if !validLabel(label) {
			return false
		}
		if !more {
			return true
		}
		name = rest
	}
}

// validLabel accepts domain-component.
func validLabel(s string) bool {
	inner := func(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) || c == '-' }
	return s != "" && s[0] != '-' && s[len(s)-1] != '-' && allBytes(s, inner)
}

func validIPv6(s string) bool {
	inside, closed := strings.CutSuffix(s[1:], "]")
	return closed && inside != "" && allBytes(inside, func(c byte) bool {
		return isDigit(c) || c == ':' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	})
}

// validTag accepts tag.
func validTag(s string) bool {
	word := func(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) || c == '_' }
	return s != "" && len(s) <= maxTag && word(s[0]) && allBytes(s, func(c byte) bool { return word(c) || c == '.' || c == '-' })
}

// digestLengths are the registered algorithms and the length of their digests in
// hexadecimal digits (OCI image specification, "Registered Algorithms").
var digestLengths = map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}

func validDigest(s string) bool {
	algorithm, hex, _ := strings.Cut(s, ":")
	return len(hex) == digestLengths[algorithm] && hex != "" && allBytes(hex, func(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' })
}
