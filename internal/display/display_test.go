package display_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"embargo.dev/internal/display"
)

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		name, in string
		most     int
		want     string
	}{
		{"short", "abc", 3, "abc"},
		{"long", "abcdef", 5, "ab…"},
		{"a character that doesn't fit", "aäbcd", 5, "a…"},
		{"nothing fits", "abcdef", 3, "…"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, display.Truncate(c.in, c.most)) })
	}
	assert.Equal(t, "ab…", display.TruncateCharacters("ab cdef", 4))
	assert.Equal(t, "äöü", display.TruncateCharacters("äöü", 3))
}

func TestTruncateKeepsCharactersWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, most := rapid.String().Draw(t, "text"), rapid.IntRange(3, 40).Draw(t, "most")
		for name, short := range map[string]string{"truncated": display.Truncate(s, most), "prefix": display.Prefix(s, most)} {
			if len(short) > most || !utf8.ValidString(short) {
				t.Fatalf("%s: %q", name, short)
			}
		}
	})
}

func TestCount(t *testing.T) {
	assert.Equal(t, "1 image", display.Count(1, "image"))
	assert.Equal(t, "0 images", display.Count(0, "image"))
	assert.Equal(t, "2 policies", display.CountOf(2, "policy", "policies"))
}
