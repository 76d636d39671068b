package prefilter

import "fmt"

// inRevision is a CEL expression that is true where a test holds for the pod spec s of a
// ControllerRevision. Nothing types what is in data, so every step asks for the type
// first: what is absent or null holds no images, and what has a wrong type is passed on.
func inRevision(test string) string {
	e := fmt.Sprintf("%s || %s", malformed, test)
	for _, step := range []struct{ variable, value string }{
		{"s", "t.?spec"}, {"t", "p.?template"}, {"p", "d.?spec"}, {"d", "object.?data"},
	} {
		e = fmt.Sprintf("[%[2]s.orValue(null)].exists(%[1]s, %[1]s != null && (type(%[1]s) != map || %[3]s))", step.variable, step.value, e)
	}
	return e
}

// malformed is a CEL expression that is true for a pod spec s whose lists of containers
// or volumes have anything of a wrong type, or are too long to look through.
var malformed = malformedList("containers", maxContainers, malformedContainer) + " || " +
	malformedList("initContainers", maxContainers, malformedContainer) + " || " +
	malformedList("ephemeralContainers", maxContainers, malformedContainer) + " || " +
	malformedList("volumes", maxVolumes, malformedVolume)

// malformedList is true where a list of the pod spec s is none, has more than so many
// items, or has an item i that is no map or for which a test holds.
func malformedList(name string, most int, test string) string {
	return fmt.Sprintf("[s.?%s.orValue(null)].exists(a, a != null && (type(a) != list || a.size() > %d || a.exists(i, type(i) != map || %s)))", name, most, test)
}

const (
	malformedContainer = "type(i.?image.orValue('')) != string"
	malformedVolume    = "has(i.image) && (type(i.image) != map || type(i.image.?reference.orValue('')) != string)"
)
