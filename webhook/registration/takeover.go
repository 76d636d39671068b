package registration

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/version"
)

// takeOverAfter is how long a replica leads before it writes over what a newer version
// wrote. While an upgrade rolls out, replicas of both versions may lead in turns, and the
// older one is not to undo what the newer one wrote. After a rollback nobody else will
// ever write again, and the configuration has to follow the rules and the certificate.
const takeOverAfter = 30 * time.Second

// yield says why this replica leaves the configuration as a version wrote it, "" where
// it doesn't.
func (r *Registrar) yield(writer string) (reason string) {
	takeOver := r.leadingSince.Add(takeOverAfter)
	if !newer(writer, r.options.Version) || !r.options.Clock().Before(takeOver) {
		return ""
	}
	return fmt.Sprintf("version %s wrote it, which is newer than this one, %s; this one takes over at %s unless another leads by then",
		writer, r.options.Version, takeOver.UTC().Format(time.RFC3339))
}

// newer reports whether a is a later version than b. A version that is none, such as
// a developer's, is older than any other.
func newer(a, b string) bool {
	va, err := version.ParseSemantic(a)
	if err != nil {
		return false
	}
	vb, err := version.ParseSemantic(b)
	return err != nil || vb.LessThan(va)
}
