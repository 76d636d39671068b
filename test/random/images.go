package random

import (
	"strings"

	"pgregory.net/rapid"

	"embargo.dev/policies/v1alpha1"
)

// Digest is a digest that some lists have and some images carry.
var Digest = "sha256:" + strings.Repeat("ab", 32)

// All generators share a small alphabet, so that patterns, mirrors and images meet.
var (
	segments = rapid.SampledFrom([]string{"acme", "tools", "lib", "library", "agent", "ac", "x", "scan_one", "scan-two", "zte"})
	hosts    = rapid.SampledFrom([]string{"reg.acme.io", "eu.reg.acme.io", "mirror.example.com", "cache.example.com:5000", "cache.example.com", "quay.io"})

	patternHosts    = rapid.OneOf(hosts, rapid.SampledFrom([]string{"", "", "**", "docker.io", "index.docker.io", "*.acme.io", "*.reg.acme.io", "reg.*.io", "*.io", "mir*.example.com"}))
	patternSegments = rapid.OneOf(segments, rapid.SampledFrom([]string{"**", "*", "ac*", "*ent", "sc*n*", "lib*", "*o*"}))
	patternSuffixes = rapid.SampledFrom([]string{"", "", "", ":1", ":1.*", "@" + Digest})

	imageHosts = rapid.OneOf(hosts, rapid.SampledFrom([]string{"", "", "docker.io", "index.docker.io", "registry-1.docker.io:443", "registry-1.docker.io:0443", "DOCKER.io", "REG.acme.io", "mirror.gcr.io",
		"m.daocloud.io/reg.acme.io", "m.daocloud.io/docker.io", "public.ecr.aws/docker/library", "reg.acme.io:8443", "mirror.example.com:99"}))
	imageSegments = rapid.OneOf(segments, segments, rapid.SampledFrom([]string{"ub", "nginx", "aztec", "my-agent", "x.y"}))
	imageSuffixes = rapid.SampledFrom([]string{"", "", ":1", ":1.2", ":V1", "@" + Digest, ":1@" + Digest})

	// Parts that no runtime accepts, or only in some places.
	oddSegments = rapid.SampledFrom([]string{"Acme", "a..b", "", ".", "..", "-x", "é", strings.Repeat("a", 64), strings.Repeat("b", 250)})
	oddSuffixes = rapid.SampledFrom([]string{":", "@sha256:ab", " ", "$(x)", ":$(x)", ":1.{{x}}", "@${x}", ":1@sha256:$(x)", ":" + strings.Repeat("t", 129), "\n", "@" + strings.ToUpper(Digest)})
)

// path generates segments with slashes between them, from atLeast to atMost.
func path(t *rapid.T, segment *rapid.Generator[string], atLeast, atMost int) string {
	n := rapid.IntRange(atLeast, atMost).Draw(t, "segments")
	all := make([]string, n)
	for i := range all {
		all[i] = segment.Draw(t, "segment")
	}
	return strings.Join(all, "/")
}

func below(host, path string) string {
	return strings.Trim(host+"/"+path, "/")
}

// pattern generates patterns with wildcards in any place, tags and digests, and such
// that are only a host. Some aren't valid: a rule set leaves them out.
func pattern(t *rapid.T) string {
	host := patternHosts.Draw(t, "host")
	if rapid.IntRange(0, 5).Draw(t, "host only") == 3 {
		return below(host, "**")
	}
	return below(host, path(t, patternSegments, 1, 3)+patternSuffixes.Draw(t, "suffix"))
}

// mirror generates mirrors; half of them follow one of those before.
func mirror(t *rapid.T, before []v1alpha1.Mirror) v1alpha1.Mirror {
	place := func(label string) string {
		host := rapid.OneOf(hosts, rapid.Just("docker.io")).Draw(t, label)
		return below(host, path(t, segments, 0, 2))
	}
	upstream := place("upstream")
	if len(before) > 0 && rapid.Bool().Draw(t, "follows") {
		upstream = before[len(before)-1].Prefix
	}
	return v1alpha1.Mirror{Prefix: place("prefix"), Upstream: upstream}
}

// image generates images: half of them what a pattern of the list is about, by way of
// its mirrors or not. Of one in twelve some part is odd.
func (l *List) image(t *rapid.T) string {
	host, text, suffix := imageHosts.Draw(t, "host"), path(t, imageSegments, 1, 4), imageSuffixes.Draw(t, "suffix")
	switch rapid.IntRange(0, 23).Draw(t, "oddity") { // the generator prefers what is at the edges
	case 11:
		text = path(t, rapid.OneOf(imageSegments, oddSegments), 1, 3)
	case 17:
		suffix = oddSuffixes.Draw(t, "suffix")
	default:
		if rapid.Bool().Draw(t, "meant") {
			return l.meant(t)
		}
	}
	if host == "" {
		return text + suffix
	}
	return host + "/" + text + suffix
}

// meant generates images that a pattern should match.
func (l *List) meant(t *rapid.T) string {
	pattern, suffix, _ := strings.Cut(rapid.SampledFrom(l.patterns).Draw(t, "pattern"), ":")
	pattern, _, byDigest := strings.Cut(pattern, "@")
	if strings.HasPrefix(pattern, "**/") {
		pattern = hosts.Draw(t, "host") + pattern[2:]
	}
	var all []string
	for segment := range strings.SplitSeq(pattern, "/") {
		if segment == "**" {
			all = append(all, path(t, imageSegments, 0, 2))
		} else {
			all = append(all, strings.ReplaceAll(segment, "*", rapid.SampledFrom([]string{"", "x", "o", "agent"}).Draw(t, "star")))
		}
	}
	image := strings.ReplaceAll(strings.Trim(strings.Join(all, "/"), "/"), "//", "/")
	for range rapid.IntRange(0, 3).Draw(t, "mirrors") {
		for _, m := range l.mirrors { // as undone, the other way round
			if rest, ok := strings.CutPrefix(image, m.Upstream); ok && (rest == "" || rest[0] == '/') {
				image = m.Prefix + rest
			}
		}
	}
	switch {
	case byDigest:
		return image + "@" + Digest
	case suffix != "":
		return image + ":" + strings.ReplaceAll(suffix, "*", "5")
	default:
		return image + imageSuffixes.Draw(t, "suffix")
	}
}
