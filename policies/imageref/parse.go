package imageref

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Parse reads an image as the kubelet does and returns its canonical reference.
//
// It accepts and refuses what github.com/distribution/reference's
// ParseNormalizedNamed does, but for one thing: an upper-case name in the host's
// place that has neither dot nor port (such as Acme/app) is refused. That parser
// takes it for a host, of which people rarely think when they write it.
func Parse(image string) (Reference, error) {
	host, rest, err := splitHost(image)
	if err != nil {
		return Reference{}, invalid(image, err)
	}
	path, tag, digest, err := splitSuffixes(rest)
	if err != nil {
		return Reference{}, invalid(image, err)
	}
	if err := checkName(host, path); err != nil {
		return Reference{}, invalid(image, err)
	}
	if tag == "" && digest == "" {
		tag = defaultTag
	}
	host, path = canonical(host, path)
	return Reference{Host: host, Path: path, Tag: tag, Digest: digest}, nil
}

// ParseDigest reads a manifest digest such as sha256:… with its whole length.
func ParseDigest(text string) (string, error) {
	if !validDigest(text) {
		return "", fmt.Errorf("%s is no digest: want sha256: and 64 lower-case hexadecimal digits (or sha384: and 96, sha512: and 128)", quote(text))
	}
	return text, nil
}

var (
	errEmpty      = errors.New("it is empty")
	errIdentifier = errors.New("64 hexadecimal digits are an image's identifier, not a name")
	errHost       = errors.New("the registry's host is malformed")
	errUpperHost  = errors.New("an upper-case name without a dot or a port is neither a registry's host nor a repository; write it in lower case")
	errUpper      = errors.New("the repository must be in lower case")
	errPath       = errors.New("the repository is malformed")
	errTooLong    = fmt.Errorf("the repository is longer than %d characters", maxPath)
	errTag        = errors.New("the tag is malformed")
	errDigest     = errors.New("the digest is malformed or cut short")
)

func invalid(image string, err error) error {
	return fmt.Errorf("%s is no image reference: %w", quote(image), err)
}

// quote shows text on one line, without control characters, and not too much of it.
func quote(text string) string {
	const most = 120
	if len(text) > most {
		return strconv.QuoteToASCII(text[:most]) + "…"
	}
	return strconv.QuoteToASCII(text)
}

// splitHost tells the host from the rest as Docker does: a name without a slash,
// or whose first segment can't be a host, is Docker Hub's.
func splitHost(image string) (host, rest string, err error) {
	if image == "" {
		return "", "", errEmpty
	}
	if len(image) == 64 && validDigest("sha256:"+image) {
		return "", "", errIdentifier
	}
	first, rest, slash := strings.Cut(image, "/")
	switch {
	case !slash:
		return Hub, hubLibrary + image, nil
	case looksLikeHost(first):
		if first == Hub || first == hubAliases[0] {
			rest = explicitLibrary(rest)
		}
		return first, rest, nil
	case strings.ToLower(first) != first:
		return "", "", errUpperHost
	default:
		return Hub, image, nil
	}
}

// explicitLibrary makes Docker Hub's library explicit in a name that may still have
// its tag and digest; its length counts, as it does to the kubelet.
func explicitLibrary(rest string) string {
	if strings.Contains(rest, "/") {
		return rest
	}
	return hubLibrary + rest
}

// looksLikeHost reports whether the first segment of a name is a registry's host.
func looksLikeHost(first string) bool {
	return first == "localhost" || strings.ContainsAny(first, ".:")
}

// splitSuffixes separates the path from its tag and digest, and checks those.
func splitSuffixes(rest string) (path, tag, digest string, err error) {
	path, digest, hasDigest := strings.Cut(rest, "@")
	if hasDigest && !validDigest(digest) {
		return "", "", "", errDigest
	}
	path, tag, hasTag := strings.Cut(path, ":")
	if hasTag && !validTag(tag) {
		return "", "", "", errTag
	}
	return path, tag, digest, nil
}

// checkName checks host and path together. A first segment with a dot that is no
// host name, such as my_registry.example, is to the parser a segment like the
// others, and to containerd a host all the same.
func checkName(host, path string) error {
	length := len(path)
	if !validHost(host) {
		if !validSegment(host) {
			return errHost
		}
		length += len(host) + 1
	}
	switch {
	case strings.ToLower(path) != path:
		return errUpper
	case !validPath(path):
		return errPath
	case length > maxPath:
		return errTooLong
	}
	return nil
}
