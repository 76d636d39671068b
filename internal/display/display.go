// Package display shortens texts for people, and counts things in words.
package display

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const ellipsis = "…"

// Truncate returns at most so many bytes of a text, in whole characters. A text that was
// longer ends in an ellipsis.
func Truncate(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	return Prefix(s, maxBytes-len(ellipsis)) + ellipsis
}

// TruncateCharacters does the same by characters.
func TruncateCharacters(s string, maxCharacters int) string {
	if utf8.RuneCountInString(s) <= maxCharacters {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:maxCharacters-1])) + ellipsis
}

// Prefix returns as many whole characters of a text as fit into so many bytes.
func Prefix(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	end := max(maxBytes, 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// Count returns a number with its noun, such as "1 image" or "2 images".
func Count(n int, noun string) string { return CountOf(n, noun, noun+"s") }

// CountOf does the same with a plural of its own.
func CountOf(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}
