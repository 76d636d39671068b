package explanation

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"embargo.dev/internal/display"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

// Write writes the images for people, with lines of about so many characters.
func Write(w io.Writer, r *Result, width int) error {
	p := &page{width: max(width, 60)}
	for i := range r.Images {
		if i > 0 {
			p.text.WriteByte('\n')
		}
		p.image(&r.Images[i])
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// page is text that is laid out in labelled paragraphs.
type page struct {
	text  strings.Builder
	width int
}

// labelWidth is where paragraphs begin, behind their labels.
const labelWidth = 13

// paragraph writes a label and text, which is wrapped and stands to its right.
func (p *page) paragraph(indent int, label, text string) {
	lead := strings.Repeat(" ", indent) + fmt.Sprintf("%-*s", labelWidth, label)
	for line := range wrap(plain(text), p.width-indent-labelWidth) {
		fmt.Fprintf(&p.text, "%s%s\n", lead, line)
		lead = strings.Repeat(" ", indent+labelWidth)
	}
}

func (p *page) heading(indent int, text string) {
	fmt.Fprintf(&p.text, "%s%s\n", strings.Repeat(" ", indent), plain(text))
}

func (p *page) image(img *Image) {
	p.heading(0, shown(img.Image))
	if img.Problem != "" {
		p.unread(img)
		return
	}
	p.paragraph(2, "Canonical:", img.Canonical)
	p.paragraph(2, "", img.Reference.sentence())
	for i, m := range img.Mirrors {
		p.paragraph(2, labelFirst(i, "Mirrors:"), fmt.Sprintf("%s stands for %s: %s", m.Prefix, m.Upstream, m.Reference))
	}
	p.paragraph(2, "Tried:", fmt.Sprintf("%s and %s of %s", display.Count(img.Tried.Patterns, "pattern"), display.Count(img.Tried.Digests, "digest"), display.Count(img.Tried.Vendors, "vendor")))
	for i, m := range img.Matches {
		p.paragraph(2, labelFirst(i, "Matched:"), m.sentence(len(img.Mirrors) > 0))
	}
	for i := range img.Vendors {
		p.vendor(&img.Vendors[i])
	}
	if len(img.Vendors) == 0 {
		p.paragraph(2, "Vendor:", "none: no pattern or digest of the restricted list matches")
	}
	if n := img.Nearest; n != nil {
		p.paragraph(2, "Nearest:", fmt.Sprintf("%s of %s: %s", n.Pattern, n.Vendor, n.sentence()))
	}
}

// shown is an image as written, in quotes where nothing would be seen.
func shown(image string) string {
	if strings.TrimSpace(image) == "" {
		return strconv.Quote(image)
	}
	return image
}

func (p *page) unread(img *Image) {
	p.paragraph(2, "Problem:", fmt.Sprintf("%s: %s", img.Problem, img.Reason))
	for i, advice := range img.Advice {
		p.paragraph(2, labelFirst(i, "To mend:"), advice)
	}
	if img.Suggestion != "" {
		p.paragraph(2, "Right:", img.Suggestion+", if that is what was meant")
	}
	verdict := "no vendor can be ruled out, so it is warned about and never refused"
	if img.Problem == string(policies.EvidenceUnresolved) {
		verdict = "nothing is known of it yet, so it is reported only"
	}
	p.paragraph(2, "Vendor:", verdict)
}

func (r *Reference) sentence() string {
	parts := []string{"host " + r.Host, "repository " + r.Repository}
	if r.Tag != "" {
		parts = append(parts, "tag "+r.Tag)
	}
	if r.Digest != "" {
		parts = append(parts, "digest "+r.Digest)
	}
	return strings.Join(parts, ", ")
}

// sentence says what a match is for; withForm also which form of the reference it is
// of.
func (m Match) sentence(withForm bool) string {
	var text string
	switch policies.Purpose(m.Purpose) {
	case policies.PurposeRecognises:
		text = fmt.Sprintf("recognises %s, %s", m.Vendor, m.Confidence)
	case policies.PurposeExcludes:
		text = "excludes it from " + m.Vendor
	case policies.PurposeNarrows:
		text = fmt.Sprintf("is what %s/%s is about", m.Vendor, m.Restriction)
	case policies.PurposeLeavesOut:
		text = fmt.Sprintf("leaves it out of %s/%s", m.Vendor, m.Restriction)
	default:
		text = "is covered by waiver " + m.Waiver
	}
	if withForm {
		text += " (" + m.Reference + ")"
	}
	return m.Pattern + " " + text
}

func (n *Nearest) sentence() string {
	switch n.Distance {
	case 1, 2:
		return "it would match but for a slip, or another tag or digest; is it what was meant?"
	default:
		return "the same repository under another host; if that is a mirror, declare it in a VendorPolicy's mirrors"
	}
}

// labelFirst gives a list one label.
func labelFirst(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// actions lists what happens for each use.
func (a Actions) sentence() string {
	if a == (Actions{v1alpha1.ActionAllow, v1alpha1.ActionAllow, v1alpha1.ActionAllow}) {
		return "Allow"
	}
	return fmt.Sprintf("Introduce %s, Update %s, Continue %s", a.Introduce, a.Update, a.Continue)
}

// plain keeps control characters out of a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// wrap yields lines of at most so many characters, broken between words.
func wrap(text string, width int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		line := ""
		for word := range strings.FieldsSeq(text) {
			if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
				if !yield(line) {
					return
				}
				line = ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		yield(line)
	}
}
