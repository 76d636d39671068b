// Package escape writes characters that can't be seen by their codes. Anybody who writes an
// image or a name chooses its characters: YAML and XML can't hold all of them, the API server
// drops warnings with some, and a terminal obeys others.
package escape

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns a text with such characters as their codes, a DEL as \u007f. The result has
// none left, so escaping it again changes nothing.
func Text(text string) string {
	if isVisible(text) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case r != utf8.RuneError && strconv.IsPrint(r):
			out.WriteRune(r)
		case r > 0xFFFF:
			out.WriteString(CodePoint(r))
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// isVisible reports whether all characters of a text can be seen.
func isVisible(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

// JSON returns a JSON text with such characters as its escapes, so that it means the same.
// JSON itself takes them as they are, but many who read JSON read it as YAML.
func JSON(text []byte) []byte { return Encoded(text, surrogates) }

// Encoded escapes a text in JSON or YAML, which write characters up to U+FFFF alike. A
// function writes those beyond.
func Encoded(text []byte, beyond func(rune) string) []byte {
	if isPrintableASCII(text) {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r < utf8.RuneSelf && r != 0x7F || strconv.IsPrint(r):
			out = append(out, text[:size]...)
		case r > 0xFFFF:
			out = append(out, beyond(r)...)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}

// surrogates is how JSON writes a character beyond U+FFFF.
func surrogates(r rune) string {
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}

// CodePoint is how YAML and Go do.
func CodePoint(r rune) string { return fmt.Sprintf(`\U%08x`, r) }

func isPrintableASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x7F {
			return false
		}
	}
	return true
}
