package imageref_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"embargo.dev/policies/imageref"
)

const digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func TestParse(t *testing.T) {
	for image, want := range map[string]imageref.Reference{
		"nginx":                 {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"docker.io/nginx":       {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"index.docker.io/nginx": {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"registry-1.docker.io/library/nginx:latest": {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"registry.hub.docker.com/nginx":             {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"DOCKER.IO:443/nginx":                       {Host: "docker.io", Path: "library/nginx", Tag: "latest"},
		"registry-1.docker.io:0443/kaspersky/x":     {Host: "docker.io", Path: "kaspersky/x", Tag: "latest"}, // dialled as 443
		"registry-1.docker.io:80/kaspersky/x":       {Host: "registry-1.docker.io:80", Path: "kaspersky/x", Tag: "latest"},
		"example.com:05000/a":                       {Host: "example.com:5000", Path: "a", Tag: "latest"},
		"[FE80::1]:0443/a":                          {Host: "[fe80::1]", Path: "a", Tag: "latest"},
		"docker.io:443/kaspersky/x":                 {Host: "docker.io", Path: "kaspersky/x", Tag: "latest"},
		"kaspersky/scanengine_httpd:2.1":            {Host: "docker.io", Path: "kaspersky/scanengine_httpd", Tag: "2.1"},
		"Repo.KCS.Kaspersky.com/images/scanner:v2":  {Host: "repo.kcs.kaspersky.com", Path: "images/scanner", Tag: "v2"},
		"xn--bcher-kva.example/a":                   {Host: "xn--bcher-kva.example", Path: "a", Tag: "latest"},
		"example.com:443/a":                         {Host: "example.com", Path: "a", Tag: "latest"},
		"example.com:5000/a":                        {Host: "example.com:5000", Path: "a", Tag: "latest"},
		"[::1]:5000/a":                              {Host: "[::1]:5000", Path: "a", Tag: "latest"},
		"localhost/a":                               {Host: "localhost", Path: "a", Tag: "latest"},
		"my_registry.example/a/b":                   {Host: "my_registry.example", Path: "a/b", Tag: "latest"},
		"a@" + digestA:                              {Host: "docker.io", Path: "library/a", Digest: digestA},
		"a:1@" + digestA:                            {Host: "docker.io", Path: "library/a", Tag: "1", Digest: digestA},
	} {
		got, err := imageref.Parse(image)
		require.NoError(t, err, image)
		assert.Equal(t, want, got, image)
	}
}

func TestParseRefuses(t *testing.T) {
	for image, why := range map[string]string{
		"":                                    "empty",
		"Acme/app":                            "upper-case name",
		"acme/App":                            "lower case",
		"ghcr.io./acme/app":                   "host",
		"ghcr.io//acme":                       "malformed",
		"https://ghcr.io/acme/a":              "host",
		"ghcr.io/":                            "malformed",
		"a:":                                  "tag",
		"a@sha256:abc":                        "digest",
		"a@sha256:" + strings.Repeat("A", 64): "digest",
		"ghcr.io/../a":                        "malformed",
		"user:pw@ghcr.io/a":                   "host",
		"a b":                                 "malformed",
		"a\nb":                                "malformed",
		strings.Repeat("a", 64):               "identifier",
		"ghcr.io/" + strings.Repeat("a", 256): "longer",
		"a:" + strings.Repeat("t", 129):       "tag",
		"ghcr.io:port/a":                      "host",
		"\u0430cme/app":                       "malformed",
	} {
		_, err := imageref.Parse(image)
		require.Error(t, err, image)
		assert.Contains(t, err.Error(), why, image)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// oddImages draws text that is close to the grammar's edges.
func oddImages() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{
		"a", "b", "nginx", "acme", "A", "Acme", "docker.io", "index.docker.io", "INDEX.docker.io", "registry-1.docker.io", "ghcr.io", "GHCR.io",
		"localhost", "library", "a_b.c", "a..b", "a__b", "a___b", "a-", "-a", "a--b", "0", "example.com", "[::1]", "[g]", "é", " ", "\n",
		strings.Repeat("a", 64), strings.Repeat("x", 130), "sha256", digestA, digestA[:40], "sha512:" + strings.Repeat("0", 128), "443", "0443", "0", "5000", "v1.2_3",
	})
	separator := rapid.SampledFrom([]string{"/", "/", "/", ":", "@", ".", "-", "_", "", "//"})
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for i := range rapid.IntRange(1, 7).Draw(t, "pieces") {
			if i > 0 {
				b.WriteString(separator.Draw(t, "separator"))
			}
			b.WriteString(piece.Draw(t, "piece"))
		}
		return b.String()
	})
}

func TestParseAgreesWithTheRuntimesParser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agree(t, oddImages().Draw(t, "image"))
	})
}

type failer interface {
	require.TestingT
	Helper()
}

// agree compares Parse with the parser of containerd and the kubelet.
func agree(t failer, image string) {
	t.Helper()
	want, wantErr := reference.ParseNormalizedNamed(image)
	got, err := imageref.Parse(image)
	if excepted(image) {
		require.Error(t, err, "%q", image)
		return
	}
	require.Equal(t, wantErr == nil, err == nil, "%q: theirs %v, ours %v", image, wantErr, err)
	if err != nil {
		return
	}
	tag, digest := "", ""
	if tagged, ok := want.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	if digested, ok := want.(reference.Digested); ok {
		digest = digested.Digest().String()
	}
	if tag == "" && digest == "" {
		tag = "latest"
	}
	require.Equal(t, tag, got.Tag, "%q", image)
	require.Equal(t, digest, got.Digest, "%q", image)
	require.Equal(t, fold(want.Name()), got.Repository(), "%q", image)
}

// excepted is the one thing that their parser accepts and ours refuses.
func excepted(image string) bool {
	first, _, slash := strings.Cut(image, "/")
	return slash && first != "localhost" && !strings.ContainsAny(first, ".:") && strings.ToLower(first) != first
}

// fold says, independently of the package, which repositories are one.
func fold(name string) string {
	host, path, _ := strings.Cut(name, "/")
	host = regexp.MustCompile(`:0*(443)?$`).ReplaceAllString(strings.ToLower(host), "")
	host = regexp.MustCompile(`:0+(\d+)$`).ReplaceAllString(host, ":$1")
	switch host {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		host = "docker.io"
	}
	if host == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return host + "/" + path
}

func TestParseTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, err := imageref.Parse(oddImages().Draw(t, "image"))
		if err != nil || len(once.Path) > 255 { // library/ may take a path over the limit
			return
		}
		if once.Host != "localhost" && !strings.ContainsAny(once.Host, ".:") {
			return // such as acme:443, whose text without the port is a name of Docker Hub's
		}
		twice, err := imageref.Parse(once.String())
		require.NoError(t, err)
		require.Equal(t, once, twice)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"nginx", "ghcr.io/a/b:1", "a@" + digestA, "A/b", "a_b.c/d", "[::1]:5000/a", "docker.io:443/x", "x:1@" + digestA, "//", "a..b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image string) { agree(t, image) })
}

func TestParseDigest(t *testing.T) {
	got, err := imageref.ParseDigest(digestA)
	require.NoError(t, err)
	assert.Equal(t, digestA, got)
	for _, bad := range []string{"", "sha256:", "sha256:abc", "md5:" + strings.Repeat("a", 32), strings.ToUpper(digestA), digestA + "0"} {
		_, err := imageref.ParseDigest(bad)
		require.ErrorContains(t, err, "want sha256:", bad)
	}
}
