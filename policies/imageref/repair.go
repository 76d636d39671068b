package imageref

import "strings"

// Repair returns what somebody who wrote an image that Parse refuses most likely
// meant; false where that can't be told. It is for advice to people: no decision may
// rest on it.
func Repair(image string) (Reference, bool) {
	text := image
	for _, repair := range repairs {
		text = repair(text)
		if r, err := Parse(text); err == nil {
			return r, text != image
		}
	}
	return Reference{}, false
}

// repairs are the usual slips, each mended on top of those before it; what loses
// something that was written comes last.
var repairs = []func(string) string{
	withoutSpace, withoutScheme, withoutEmptySegments, withoutFinalDot, inLowerCase, withoutBadVersion,
}

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

// withoutBadVersion leaves out a tag or a digest that can't be one.
func withoutBadVersion(text string) string {
	name, _ := cutVersion(text)
	return name
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
