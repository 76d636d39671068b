package imageref

import "strings"

// brackets enclose what others fill in: $(…) of Kubernetes and Tekton, {{…}} of Argo and
// of templates, ${…} of OpenShift and shells, and ${{…}} of pipelines.
var brackets = []struct{ opening, closing string }{{"${{", "}}"}, {"${", "}"}, {"$(", ")"}, {"{{", "}}"}}

// HasParameters reports whether the text has parameters, which somebody fills in later.
func HasParameters(text string) bool { return mask(text) != text }

// ParseParametric reads an image that has parameters only in its tag or digest, such as
// acme/agent:$(version). They stand in the reference as written. It returns false for any
// other image.
func ParseParametric(image string) (Reference, bool) {
	masked := mask(image)
	name, version := cutVersion(masked)
	if masked == image || masked[:len(name)] != image[:len(name)] {
		return Reference{}, false
	}
	r, err := Parse(name)
	if err != nil {
		return Reference{}, false
	}
	tag, _, hasDigest := strings.Cut(version, "@")
	written := image[len(name):]
	if r.Tag = ""; tag != "" && !r.takeTag(written[1:len(tag)], tag[1:]) {
		return Reference{}, false
	}
	if hasDigest && !r.takeDigest(written[len(tag)+1:], version[len(tag)+1:]) {
		return Reference{}, false
	}
	return r, true
}

// takeTag takes a tag, with and without placeholders, and reports whether it can be one.
func (r *Reference) takeTag(written, masked string) bool {
	r.Tag, r.OpenTag = written, written != masked
	if !r.OpenTag {
		return validTag(written)
	}
	// How long it will be isn't known.
	return validTag(masked[:1]) && allBytes(masked, func(c byte) bool { return validTag(placeholder + string(c)) })
}

// takeDigest does so with a digest.
func (r *Reference) takeDigest(written, masked string) bool {
	r.Digest, r.OpenDigest = written, written != masked
	if !r.OpenDigest {
		return validDigest(written)
	}
	return allBytes(masked, func(c byte) bool { return isLower(c) || isDigit(c) || c == ':' })
}

// placeholder stands for each character of a parameter. It can stand in a tag and in a
// repository.
const placeholder = "x"

// mask returns the text with placeholders in place of its parameters.
func mask(text string) string {
	if !strings.ContainsAny(text, "${") {
		return text
	}
	var masked strings.Builder
	for i := 0; i < len(text); {
		n := max(1, parameter(text[i:]))
		if n == 1 {
			masked.WriteByte(text[i])
		} else {
			masked.WriteString(strings.Repeat(placeholder, n))
		}
		i += n
	}
	return masked.String()
}

// parameter returns the length of the parameter that the text begins with, 0 where it
// begins with none. Parameters can be nested, as in ${A:-${B}}.
func parameter(text string) int {
	for _, b := range brackets {
		if !strings.HasPrefix(text, b.opening) {
			continue
		}
		depth := 1
		for i := len(b.opening); i < len(text); {
			switch {
			case strings.HasPrefix(text[i:], b.closing):
				if depth--; depth == 0 {
					return i + len(b.closing)
				}
				i += len(b.closing)
			case strings.HasPrefix(text[i:], b.opening):
				depth++
				i += len(b.opening)
			default:
				i++
			}
		}
	}
	return 0
}
