package prefilter

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"embargo.dev/policies"
)

// Prefilter is the expression derived from a rule set.
type Prefilter struct {
	Expression string
	// Revisions is the expression for the ControllerRevisions of built-in controllers,
	// which hold a pod spec at data.spec.template.spec.
	Revisions string
	Tokens    int
	MaxText   int // images longer than this together are passed on
}

// Bounds beyond which an object is passed on unsearched. Kubernetes' admission gives
// an expression a cost of 1,000,000 (apiserver, pkg/apis/cel): each bound keeps a part
// of the cost in check, and they are tested before anything is joined or matched.
const (
	maxContainers = 64
	maxVolumes    = 256
	maxText       = 8192
	minText       = 512 // with less, ordinary Pods would be passed on
	// searchBudget is what the search for tokens may cost; the rest is for the loops
	// and for plainness.
	searchBudget = 850_000
	// maxExpression is the length that the API server accepts, in code points, with
	// room for the other conditions' wrapping.
	maxExpression = 95_000
	// maxCompared is how many containers and volumes are compared with those before.
	maxCompared = 512
	// maxImage is the longest plain image: with library/ before it, a name still has
	// at most the 255 characters that a runtime accepts.
	maxImage = 240
)

// plain is a regular expression for images that imageref.Parse surely accepts: an
// optional host with an optional port, a path, a tag and a sha256 digest, all but the
// tag in lower case.
const plain = `^([a-z0-9]+((\\.|-+)[a-z0-9]+)*(:[0-9]+)?/)?` +
	segment + `(/` + segment + `)*` +
	`(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$`

const segment = `[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*`

// list is a CEL expression for a list in a pod spec s; absent and null are empty.
func list(name string) string {
	return fmt.Sprintf("(s.?%[1]s.orValue(null) == null ? [] : s.%[1]s)", name)
}

// containers is a CEL expression for all containers of a pod spec s.
var containers = "(" + list("containers") + " + " + list("initContainers") + " + " + list("ephemeralContainers") + ")"

// images is a CEL expression for the images in a pod spec s, as written.
var images = containers + ".map(c, c.?image.orValue(''))" +
	" + " + list("volumes") + ".filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))"

// podSpecs is a CEL list of the pod specs of an object of a built-in kind: at most one
// of the four places holds one.
func podSpecs(object string) string {
	return fmt.Sprintf("[?%[1]s.?spec, ?%[1]s.?spec.?template.?spec, ?%[1]s.?spec.?jobTemplate.?spec.?template.?spec, ?%[1]s.?template.?spec]", object)
}

// New derives the expression. It fails, with the reason, where there is no sound
// expression that fits: then all requests have to be sent.
func New(rules *policies.RuleSet) (*Prefilter, error) {
	words, err := tokens(rules.Recognisers())
	if err != nil {
		return nil, err
	}
	search := "false"
	p := &Prefilter{Tokens: len(words), MaxText: maxText}
	if len(words) > 0 {
		expression := alternation(words)
		p.MaxText = textBound(utf8.RuneCountInString(expression))
		// A segment begins and ends at a slash, or where the image does.
		search = fmt.Sprintf("[' ' + l.join(' ') + ' '].exists(j, j.matches('%s'))", strings.ReplaceAll(expression, `\`, `\\`))
	}
	if p.MaxText < minText {
		return nil, fmt.Errorf("%d tokens don't fit into the API server's budget: only objects with less than %d characters of images could be searched", len(words), p.MaxText)
	}
	// suspicious is true for a pod spec s in which there could be a finding.
	suspicious := fmt.Sprintf(`%s.size() > %d ||
  %s.size() > %d ||
  [%s].exists(l,
    l.map(i, i.size() + 1).sum() > %d ||
    l.exists(i, i.size() > %d || i.size() == 64 && !i.contains('/') || !i.matches('%s')) ||
    %s)`, containers, maxContainers, list("volumes"), maxVolumes, images, p.MaxText, maxImage, plain, search)
	p.Expression = fmt.Sprintf("%s.exists(s,\n  %s)", podSpecs("object"), suspicious)
	p.Revisions = inRevision(suspicious)
	if n := utf8.RuneCountInString(p.Revisions); n > maxExpression {
		return nil, fmt.Errorf("the expression for %d tokens has %d characters, and the API server accepts %d", len(words), n, maxExpression)
	}
	return p, nil
}

// alternation is a regular expression that finds any of the tokens in images with a
// space before and after each. The tokens are grouped by whether they start or end a
// segment, and sorted, so that what they share is looked at once.
func alternation(words []token) string {
	var groups []string
	for _, g := range []struct {
		starts, ends bool
		form         string
	}{
		{true, true, "[ /](?:%s)[ /:@]"},
		{true, false, "[ /](?:%s)"},
		{false, true, "(?:%s)[ /:@]"},
		{false, false, "%s"},
	} {
		var quoted []string
		for _, w := range words {
			if w.Starts == g.starts && w.Ends == g.ends {
				quoted = append(quoted, regexp.QuoteMeta(w.Text))
			}
		}
		if len(quoted) > 0 {
			groups = append(groups, fmt.Sprintf(g.form, strings.Join(quoted, "|")))
		}
	}
	return strings.Join(groups, "|")
}

// textBound returns how much text can be searched with a regular expression of so many
// characters: the API server counts a tenth of the text, rounded up, times a quarter
// of the expression, rounded up.
func textBound(expression int) int {
	return min(maxText, 10*(searchBudget/((expression+3)/4))-1)
}

// ChangesImages is a CEL expression that is true where an update changes the images of
// an object of a built-in kind, or where they are too many to compare.
func ChangesImages() string {
	imagesOf := func(object string) string { return podSpecs(object) + ".map(s, " + images + ")" }
	tooMany := fmt.Sprintf("%s.exists(s, %s.size() + %s.size() > %d)", podSpecs("object"), containers, list("volumes"), maxCompared)
	return "(" + tooMany + " || " + imagesOf("object") + " != " + imagesOf("oldObject") + ")"
}
