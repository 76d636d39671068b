package lint

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Severity says whether a cluster would refuse the list.
type Severity string

// The severities.
const (
	Error   Severity = "Error"
	Warning Severity = "Warning"
)

// Problem is something about a field of a vendor.
type Problem struct {
	Severity Severity
	Field    string // JSON path, such as spec.restrictions[0].audience
	Message  string // with the field, and what would be right
}

func failure(err *field.Error) Problem {
	return Problem{Severity: Error, Field: err.Field, Message: err.Error()}
}

func warning(path *field.Path, format string, args ...any) Problem {
	return Problem{Severity: Warning, Field: path.String(), Message: path.String() + ": " + fmt.Sprintf(format, args...)}
}
