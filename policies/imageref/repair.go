package imageref

import (
	"errors"
	"fmt"
	"strings"
)

// Correction is what is to be changed in an image that Parse refuses. It is for advice to
// people: no decision may rest on it.
type Correction struct {
	Advice []string  // what to change, a sentence for each slip
	Meant  Reference // what was most likely meant
	Known  bool      // whether that can be told
}

// Correct looks for the slips in an image that Parse refuses.
func Correct(image string) Correction {
	text := image
	var c Correction
	for _, s := range usualSlips {
		if _, err := Parse(text); err == nil {
			break
		}
		if mended := s.mend(text); mended != text {
			c.Advice = append(c.Advice, s.advice(text))
			text = mended
		}
	}
	meant, err := Parse(text)
	if err != nil {
		c.Advice = append(c.Advice, grammarOf(text)...)
		return c
	}
	c.Meant, c.Known = meant, text != image
	return c
}

// slip is a usual mistake.
type slip struct {
	mend   func(text string) string // returns the text as it is where it has no such mistake
	advice func(text string) string
}

// usualSlips are in the order in which they are mended, each on top of those before it.
var usualSlips = []slip{
	{withoutSpace, says("leave out the white space")},
	{withoutScheme, func(text string) string {
		scheme, _, _ := strings.Cut(text, "://")
		return fmt.Sprintf("leave out %s://, an image has no scheme", shortened(scheme))
	}},
	{withoutEmptySegments, says("leave out the empty segment: single slashes stand between segments, and none at the start or the end")},
	{withoutFinalDot, says("leave out the dot at the end of the registry's host")},
	{inLowerCase, says("write the repository in lower case; only a tag may have upper case")},
	{withAt, says("put @ before the digest, not a colon")},
	{withAlgorithm, says("begin the digest with sha256:")},
	{withLowerDigest, says("write the digest in lower case")},
	{withoutEmptyVersion, says("leave out the colon or @ at the end, or write a tag or a digest behind it")},
}

func says(advice string) func(string) string { return func(string) string { return advice } }

func withoutSpace(text string) string { return strings.Join(strings.Fields(text), "") }

// withoutScheme leaves out https:// and the schemes of tools that copy images.
func withoutScheme(text string) string {
	if _, rest, found := strings.Cut(text, "://"); found {
		return rest
	}
	return text
}

func withoutEmptySegments(text string) string {
	segments := strings.Split(text, "/")
	kept := segments[:0]
	for _, s := range segments {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "/")
}

// withoutFinalDot leaves out the dot at the end of a host, which the DNS allows.
func withoutFinalDot(text string) string {
	host, rest, found := strings.Cut(text, "/")
	if !found || !looksLikeHost(host) {
		return text
	}
	name, port := splitPort(host)
	name = strings.TrimSuffix(name, ".")
	if port != "" {
		name += ":" + port
	}
	return name + "/" + rest
}

// inLowerCase lowers the repository, and leaves the tag, which may have upper case.
func inLowerCase(text string) string {
	name, version := cutVersion(text)
	return strings.ToLower(name) + version
}

// withAt puts the digest where it belongs if a colon stands before it.
func withAt(text string) string {
	name, version := cutVersion(text)
	for algorithm := range digestLengths {
		if digest, found := strings.CutPrefix(version, ":"+algorithm+":"); found {
			return name + "@" + algorithm + ":" + digest
		}
	}
	return text
}

// withAlgorithm begins a digest that has only its digits.
func withAlgorithm(text string) string {
	name, digest, found := strings.Cut(text, "@")
	if found && validDigest("sha256:"+strings.ToLower(digest)) {
		return name + "@sha256:" + digest
	}
	return text
}

func withLowerDigest(text string) string {
	name, digest, found := strings.Cut(text, "@")
	if found && validDigest(strings.ToLower(digest)) {
		return name + "@" + strings.ToLower(digest)
	}
	return text
}

func withoutEmptyVersion(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "@"), ":")
}

// grammarOf says how the parts that are still wrong must look.
func grammarOf(text string) []string {
	name, version := cutVersion(text)
	tag, digest, hasDigest := strings.Cut(version, "@")
	var rules []string
	if hasDigest && !validDigest(digest) {
		rules = append(rules, digestRule(digest))
	}
	if tag = strings.TrimPrefix(tag, ":"); tag != "" && !validTag(tag) {
		rules = append(rules, "a tag has at most 128 letters, digits, underscores, dots and dashes, and begins with neither a dot nor a dash")
	}
	if _, err := Parse(name); err != nil {
		rules = append(rules, nameRule(name))
	}
	return rules
}

func digestRule(digest string) string {
	rule := "a digest is sha256: and 64 lower-case hexadecimal digits (or sha384: and 96, sha512: and 128)"
	algorithm, hex, _ := strings.Cut(digest, ":")
	if want, known := digestLengths[algorithm]; known && len(hex) != want {
		return fmt.Sprintf("%s; this one has %d", rule, len(hex))
	}
	return rule
}

func nameRule(name string) string {
	host, _, err := splitHost(name)
	switch {
	case errors.Is(err, errIdentifier):
		return "write the repository before an identifier, as in NAME@sha256:DIGITS"
	case err == nil && host != Hub && !validHost(host) && !validSegment(host):
		return "a registry's host has letters, digits and dashes between its dots, and a port has digits alone"
	default:
		return fmt.Sprintf("a repository has at most %d characters: lower-case letters and digits, with single dots, one or two underscores, or dashes between them, in segments between slashes", maxPath)
	}
}

// shortened shows a few characters of a text.
func shortened(text string) string {
	const most = 20
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// cutVersion splits an image before its tag or digest.
func cutVersion(text string) (name, version string) {
	name, _, _ = strings.Cut(text, "@")
	slash := strings.LastIndexByte(name, '/')
	if i := strings.IndexByte(name[slash+1:], ':'); i >= 0 {
		name = name[:slash+1+i]
	}
	return name, text[len(name):]
}
