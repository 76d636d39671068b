package output

import (
	"fmt"
	"strings"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// maxDescription is how long GitHub lets a description be.
const maxDescription = 1024

// rules returns a rule for each restriction that findings name, and one for each way
// in which an image can't be read; and where each stands.
func (r *Result) rules() ([]sarifRule, map[string]int) {
	rules := []sarifRule{}
	for _, m := range r.measures() {
		rules = append(rules, m.rule())
	}
	unread := map[policies.Evidence]bool{}
	for _, f := range r.Findings {
		if f.Vendor == "" {
			unread[f.Evidence] = true
		}
	}
	for _, rule := range []struct {
		evidence policies.Evidence
		sarifRule
	}{{policies.EvidenceUnparsable, unparsable}, {policies.EvidenceUnresolved, unresolved}} {
		if unread[rule.evidence] {
			rules = append(rules, rule.sarifRule)
		}
	}
	index := make(map[string]int, len(rules))
	for i, rule := range rules {
		index[rule.ID] = i
	}
	return rules, index
}

// rule tells what a restriction is about. Its level is that of its strongest finding.
func (m *measure) rule() sarifRule {
	short := fmt.Sprintf("Image of restricted vendor %s (%s)", m.DisplayName, m.Name)
	full := short + "."
	if m.Authority != "" {
		full = fmt.Sprintf("%s is bound by a measure of %s.", m.DisplayName, m.Authority)
	}
	if m.Scope != "" {
		full += " " + m.Scope
	}
	return sarifRule{
		ID: m.id(), Name: identifier(m.Vendor, m.Name),
		ShortDescription: sarifText{Text: display.TruncateCharacters(short, maxDescription)}, FullDescription: sarifText{Text: display.TruncateCharacters(full, maxDescription)},
		Help:                 sarifText{Text: m.help(plain), Markdown: m.help(markdown)},
		HelpURI:              m.url(),
		DefaultConfiguration: sarifConfiguration{levels[strongest(m.findings)]},
		Properties: map[string]any{
			"tags": []string{"compliance", "restricted-vendor", m.Vendor}, "precision": m.precision(), "audience": m.Audience,
		},
	}
}

// precision is what SARIF's readers call confidence.
func (m *measure) precision() string {
	for _, f := range m.findings {
		if f.Confidence == v1alpha1.ConfidenceSuspected {
			return "medium"
		}
	}
	return "very-high"
}

// help is what a reader shows about the rule.
func (m *measure) help(as style) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", as.strong(fmt.Sprintf("%s: %s", m.DisplayName, m.Name)))
	if m.Authority != "" {
		fmt.Fprintf(&text, "Authority: %s. Audience: %s.\n\n", as.text(m.Authority), as.text(m.Audience))
	}
	for _, c := range m.Citations {
		fmt.Fprintf(&text, "- %s\n", as.link(c.Title, c.URL))
	}
	if m.schedule != nil {
		fmt.Fprintf(&text, "\nSchedule (%s):\n\n", as.text(m.TimeZone))
		phases := m.schedule.Phases()
		for i := range phases {
			p := &phases[i]
			fmt.Fprintf(&text, "- %s %s: %s (introduce %s, update %s, continue %s)\n",
				m.day(p), as.text(p.Phase.Phase), as.text(p.Summary), p.Introduce, p.Update, p.Continue)
		}
	}
	if m.Replacement != "" {
		fmt.Fprintf(&text, "\nReplacement: %s\n", as.text(m.Replacement))
	}
	text.WriteString("\nMove to another image, or have a VendorWaiver granted. This is the policy of a cluster and no legal advice.\n")
	return text.String()
}

var unparsable = sarifRule{
	ID: "unparsable", Name: "UnparsableImage",
	ShortDescription: sarifText{Text: "Image that can't be read"},
	FullDescription:  sarifText{Text: "The image's name is none that a kubelet would pull, so no vendor can be ruled out."},
	Help: sarifText{
		Text:     "Write the image as host/repository:tag, in lower case and without a scheme.",
		Markdown: "Write the image as `host/repository:tag`, in lower case and without a scheme.",
	},
	DefaultConfiguration: sarifConfiguration{"warning"},
	Properties:           map[string]any{"tags": []string{"compliance"}, "precision": "very-high"},
}

var unresolved = sarifRule{
	ID: "unresolved", Name: "UnresolvedImage",
	ShortDescription: sarifText{Text: "Image that is filled in later"},
	FullDescription:  sarifText{Text: "The image is empty or has parameters, so whose it is can only be told when it is filled in."},
	Help: sarifText{
		Text:     "Check what fills the parameters in, or render the template before it is checked.",
		Markdown: "Check what fills the parameters in, or render the template before it is checked.",
	},
	DefaultConfiguration: sarifConfiguration{"note"},
	Properties:           map[string]any{"tags": []string{"compliance"}, "precision": "very-high"},
}

// style is how a text is marked up.
type style struct {
	text   func(string) string
	strong func(string) string
	link   func(title, url string) string
}

var (
	plain = style{
		text:   func(s string) string { return s },
		strong: func(s string) string { return s },
		link:   func(title, url string) string { return title + ": " + url },
	}
	markdown = style{
		text:   escapeMarkdown,
		strong: func(s string) string { return "**" + escapeMarkdown(s) + "**" },
		link: func(title, url string) string {
			return fmt.Sprintf("[%s](<%s>)", escapeMarkdown(title), strings.NewReplacer("<", "%3C", ">", "%3E").Replace(url))
		},
	}
)

// escapeMarkdown keeps text of a list from being taken for markup.
func escapeMarkdown(text string) string { return special.Replace(text) }

var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "\n", " ")

// identifier makes a name in SARIF's style, such as KasperskyUsIcts.
func identifier(parts ...string) string {
	var name strings.Builder
	for _, word := range strings.FieldsFunc(strings.Join(parts, "-"), func(r rune) bool { return r == '-' || r == '.' }) {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}
