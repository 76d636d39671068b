package imageref

import (
	"slices"
	"strings"
)

// Hub is the canonical host of Docker Hub.
const Hub = "docker.io"

// hubLibrary is where Docker Hub keeps the images whose name has one segment.
const hubLibrary = "library/"

// hubAliases are the other hosts at which Docker Hub serves the same images.
var hubAliases = []string{"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}

// defaultTag is meant where neither tag nor digest is given.
const defaultTag = "latest"

// defaultPort is meant where a host has none.
const defaultPort = "443"

// Reference is a canonical image reference. Two references are to the same image
// exactly if they are equal.
type Reference struct {
	Host   string // in lower case, with its port where it has one other than 443
	Path   string // the repository at the host, such as library/nginx
	Tag    string // "" where only a digest is given
	Digest string // "sha256:…", "" where none is given
	// OpenTag and OpenDigest say that the tag, or the digest, has parameters: it stands
	// there as written, and can come to be any.
	OpenTag, OpenDigest bool
}

// Repository returns host and path.
func (r Reference) Repository() string { return r.Host + "/" + r.Path }

// String returns the canonical text, for people to read.
func (r Reference) String() string {
	text := r.Repository()
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// canonical folds the spellings of a host and a path into one.
func canonical(host, path string) (string, string) {
	host = canonicalHost(host)
	if host == Hub && !strings.Contains(path, "/") {
		path = hubLibrary + path
	}
	return host, path
}

// canonicalHost folds upper case, the zeros before a port (0443 is dialled as 443), the
// port that is meant anyhow, and Docker Hub's other names. It takes the host of a pattern
// too.
func canonicalHost(host string) string {
	name, port := splitPort(strings.ToLower(host))
	port = strings.TrimLeft(port, "0")
	switch {
	case port != "" && port != defaultPort:
		return name + ":" + port
	case slices.Contains(hubAliases, name):
		return Hub
	default:
		return name
	}
}

// splitPort separates a host from its port, "" where it has none.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.IndexByte(host[i:], ']') >= 0 {
		return host, ""
	}
	return host[:i], host[i+1:]
}
