package imageref_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"embargo.dev/policies/imageref"
)

func TestSlipsAreCorrected(t *testing.T) {
	hex := digestA[len("sha256:"):]
	for image, want := range map[string]struct {
		meant  string
		advice string
	}{
		"Acme/app":                   {"docker.io/acme/app:latest", "write the repository in lower case; only a tag may have upper case"},
		"acme/App:V1":                {"docker.io/acme/app:V1", "write the repository in lower case; only a tag may have upper case"},
		"https://ghcr.io/acme/app:1": {"ghcr.io/acme/app:1", "leave out https://, an image has no scheme"},
		"docker://acme/app":          {"docker.io/acme/app:latest", "leave out docker://, an image has no scheme"},
		"ghcr.io./acme/app":          {"ghcr.io/acme/app:latest", "leave out the dot at the end of the registry's host"},
		"ghcr.io.:443/acme/app":      {"ghcr.io/acme/app:latest", "leave out the dot at the end of the registry's host"},
		"ghcr.io//acme/app/":         {"ghcr.io/acme/app:latest", "leave out the empty segment: single slashes stand between segments, and none at the start or the end"},
		" acme/app ":                 {"docker.io/acme/app:latest", "leave out the white space"},
		"acme/app:a b":               {"docker.io/acme/app:ab", "leave out the white space"},
		"acme/app:":                  {"docker.io/acme/app:latest", "leave out the colon or @ at the end, or write a tag or a digest behind it"},
		"acme/app:1@":                {"docker.io/acme/app:1", "leave out the colon or @ at the end, or write a tag or a digest behind it"},
		"acme/app:" + digestA:        {"docker.io/acme/app@" + digestA, "put @ before the digest, not a colon"},
		"acme/app@" + hex:            {"docker.io/acme/app@" + digestA, "begin the digest with sha256:"},
		"acme/app@SHA256:" + strings.ToUpper(hex): {"docker.io/acme/app@" + digestA, "write the digest in lower case"},
		"https://Acme.example./App":               {"acme.example/app:latest", "leave out https://, an image has no scheme|leave out the dot at the end of the registry's host|write the repository in lower case; only a tag may have upper case"},
	} {
		c := imageref.Correct(image)
		assert.True(t, c.Known, image)
		assert.Equal(t, want.meant, c.Meant.String(), image)
		assert.Equal(t, want.advice, strings.Join(c.Advice, "|"), image)
	}
}

// TestNothingIsMadeUp: a version that was lost on the way must not turn into latest.
func TestNothingIsMadeUp(t *testing.T) {
	for image, advice := range map[string]string{
		"acme/app@sha256:abc":    "a digest is sha256: and 64 lower-case hexadecimal digits (or sha384: and 96, sha512: and 128); this one has 3",
		"acme/app:1@md5:abc":     "a digest is sha256: and 64 lower-case hexadecimal digits (or sha384: and 96, sha512: and 128)",
		"acme/app:-1":            "a tag has at most 128 letters, digits, underscores, dots and dashes, and begins with neither a dot nor a dash",
		"acme/app___x":           "a repository has at most 255 characters: lower-case letters and digits, with single dots, one or two underscores, or dashes between them, in segments between slashes",
		"ghcr.io:x/acme/app":     "a registry's host has letters, digits and dashes between its dots, and a port has digits alone",
		digestA[len("sha256:"):]: "write the repository before an identifier, as in NAME@sha256:DIGITS",
	} {
		c := imageref.Correct(image)
		assert.False(t, c.Known, image)
		assert.Equal(t, advice, strings.Join(c.Advice, "|"), image)
	}
	c := imageref.Correct("nginx")
	assert.False(t, c.Known, "there is nothing to mend")
	assert.Empty(t, c.Advice)
}

func TestEveryRefusalHasAdvice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		image := rapid.StringMatching(`[aA0./:@_ -]{1,40}`).Draw(t, "image")
		if _, err := imageref.Parse(image); err == nil {
			return
		}
		assert.NotEmpty(t, imageref.Correct(image).Advice, image)
	})
}
