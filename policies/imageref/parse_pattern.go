package imageref

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	maxPattern = 512
	// maxDeep bounds the ** in a pattern. Nobody means more, and each one makes a
	// reference dearer to match.
	maxDeep = 4
)

var (
	errNoLiteral = errors.New("it has no literal part, so it would match everything: name a host, a repository or a part of one")
	errDeepPart  = errors.New("** must be a whole segment; inside a segment use *")
)

// ParsePattern reads a pattern. It is read as an image is: shorthand means Docker
// Hub, whose other names fold. The error says what would be right.
func ParsePattern(text string) (Pattern, error) {
	p, err := parsePattern(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("%s is no image pattern: %w", quote(text), err)
	}
	p.text = text
	return p, nil
}

func parsePattern(text string) (Pattern, error) {
	var p Pattern
	if err := checkPatternText(text); err != nil {
		return p, err
	}
	name, digest, hasDigest := strings.Cut(text, "@")
	if hasDigest {
		if !validDigest(digest) {
			return p, fmt.Errorf("after @ must stand a whole digest without wildcards: %w", errDigest)
		}
		p.digest = digest
	}
	name, err := p.parseTag(name)
	if err != nil {
		return p, err
	}
	segments := strings.Split(name, "/")
	switch first := segments[0]; {
	case first == "**":
		p.anyHost = true
		return p, p.parsePath(segments, hasDigest)
	case len(segments) > 1 && looksLikeHost(first):
		if p.host, err = parseHostPattern(first); err != nil {
			return p, err
		}
		return p, p.parsePath(segments[1:], hasDigest || p.host.hasLiteral())
	default:
		p.host = hostPattern{labels: []glob{{literal: "docker"}, {literal: "io"}}, hub: true}
		return p, p.parsePath(segments, hasDigest)
	}
}

func checkPatternText(text string) error {
	switch {
	case text == "":
		return errEmpty
	case len(text) > maxPattern:
		return fmt.Errorf("it is longer than %d characters", maxPattern)
	case strings.Contains(text, "://"):
		return errors.New("leave the scheme out: an image has none")
	case strings.ContainsAny(text, " \t\r\n"):
		return errors.New("it has white space in it")
	case strings.Contains(text, "//") || strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/"):
		return errors.New("it has an empty segment; to match everything below a repository end it with /**")
	case strings.Trim(text, "*/.:@-_") == "":
		return errNoLiteral
	}
	return nil
}

// parseTag takes a tag off the end of a name. A colon before the last slash belongs
// to the host.
func (p *Pattern) parseTag(name string) (string, error) {
	slash := strings.LastIndexByte(name, '/')
	i := strings.IndexByte(name[slash+1:], ':')
	if i < 0 {
		return name, nil
	}
	name, tag := name[:slash+1+i], name[slash+2+i:]
	if !validTag(strings.ReplaceAll(tag, "*", "x")) {
		return "", errTag
	}
	g := newGlob(tag)
	p.tag = &g
	return name, nil
}

// parsePath reads the path; literal says whether some literal text was written
// before it.
func (p *Pattern) parsePath(segments []string, literal bool) error {
	deep := 0
	for _, text := range segments {
		s, err := parseSegment(text)
		if err != nil {
			return err
		}
		if s.deep {
			deep++
		}
		literal = literal || strings.Trim(text, "*") != ""
		p.path = append(p.path, s)
	}
	switch {
	case !literal:
		return errNoLiteral
	case deep > maxDeep:
		return fmt.Errorf("it has more than %d **", maxDeep)
	}
	p.hubPath = p.path
	if len(p.path) == 1 && !p.path[0].deep {
		p.hubPath = []segment{{glob: glob{literal: strings.TrimSuffix(hubLibrary, "/")}}, p.path[0]}
	}
	return nil
}

// hasLiteral reports whether some label has literal text.
func (h hostPattern) hasLiteral() bool {
	return slices.ContainsFunc(h.labels, func(g glob) bool { return g.literal != "" || strings.Join(g.parts, "") != "" })
}

func parseSegment(text string) (segment, error) {
	switch {
	case text == "**":
		return segment{deep: true}, nil
	case strings.Contains(text, "**"):
		return segment{}, errDeepPart
	case strings.ToLower(text) != text:
		return segment{}, errUpper
	case !strings.Contains(text, "*") && !validSegment(text),
		!allBytes(text, func(c byte) bool { return isLower(c) || isDigit(c) || strings.IndexByte("*._-", c) >= 0 }):
		return segment{}, fmt.Errorf("the segment %s can't be part of a repository", quote(text))
	}
	return segment{glob: newGlob(text)}, nil
}

func parseHostPattern(text string) (hostPattern, error) {
	if strings.Contains(text, "**") {
		return hostPattern{}, fmt.Errorf("%w; for any number of labels begin the host with *. as in *.example.com", errDeepPart)
	}
	name, port := splitPort(canonicalHost(text))
	if !validHost(strings.ReplaceAll(text, "*", "x")) && !validSegment(strings.ReplaceAll(text, "*", "x")) {
		return hostPattern{}, fmt.Errorf("%s can't be a registry's host", quote(text))
	}
	name, deeper := strings.CutPrefix(name, "*.")
	h := hostPattern{deeper: deeper, port: port}
	for _, label := range hostLabels(name) {
		h.labels = append(h.labels, newGlob(label))
	}
	h.hub = h.standsForHub()
	return h, nil
}
