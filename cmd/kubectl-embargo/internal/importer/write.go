package importer

import (
	"bytes"
	"fmt"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"

	"embargo.dev/internal/display"
)

// YAML writes the draft as a RestrictedVendor. What no list tells is left out, and a
// comment says that it is to be completed: the keys that are missing make it invalid, so
// that it can't be applied by mistake.
func (d *Draft) YAML() ([]byte, error) {
	spec := mapping()
	spec.add("displayName", scalar(d.DisplayName))
	spec.add("entities", list(d.Entities))
	images := &yamlv3.Node{Kind: yamlv3.MappingNode, Style: yamlv3.FlowStyle, LineComment: "recognises nothing: the lists name no images; add patterns with their sources"}
	spec.add("images", images)
	restrictions := &yamlv3.Node{Kind: yamlv3.SequenceNode}
	for i := range d.Restrictions {
		restrictions.Content = append(restrictions.Content, d.Restrictions[i].node())
	}
	spec.add("restrictions", restrictions)
	metadata := mapping()
	metadata.add("name", scalar(d.Name))
	labels := mapping()
	labels.add("embargo.dev/list", scalar("imported"))
	metadata.add("labels", labels.node())
	vendor := mapping()
	vendor.add("apiVersion", scalar("embargo.dev/v1alpha1"))
	vendor.add("kind", scalar("RestrictedVendor"))
	vendor.add("metadata", metadata.node())
	vendor.add("spec", spec.node())
	vendor.content[0].HeadComment = d.head()

	var text bytes.Buffer
	encoder := yamlv3.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(vendor.node()); err != nil {
		return nil, fmt.Errorf("writing the draft of %s: %w", d.Name, err)
	}
	return text.Bytes(), encoder.Close()
}

// head is the comment above a draft.
func (d *Draft) head() string {
	lines := []string{
		"Draft, imported from " + d.Source + ".",
		"Nothing in it is verified. A cluster takes it only once a person has completed it:",
		"list validate names what is missing.",
	}
	for _, note := range d.Notes {
		lines = append(lines, "- "+display.TruncateCharacters(note, 400))
	}
	return strings.Join(lines, "\n")
}

func (r *Restriction) node() *yamlv3.Node {
	m := mapping()
	m.add("name", scalar(r.Name))
	m.addKnown("authority", r.Authority, "who ordered the measure")
	citations := &yamlv3.Node{Kind: yamlv3.SequenceNode}
	for _, c := range r.Citations {
		citation := mapping()
		citation.add("title", scalar(c.Title))
		if c.URL != "" {
			citation.add("url", scalar(c.URL))
		} else {
			citation.content[1].LineComment = "url: to be completed: where the text can be read"
		}
		citations.Content = append(citations.Content, citation.node())
	}
	m.add("citations", citations)
	m.addKnown("audience", "", "who the measure binds, such as us-exporters")
	m.addKnown("scope", r.Scope, "what it covers and what it leaves out")
	m.addKnown("timeZone", "", "IANA name of the zone in which its dates are counted, such as America/New_York")
	m.add("schedule", r.schedule())
	return m.node()
}

func (r *Restriction) schedule() *yamlv3.Node {
	phase := mapping()
	phase.add("phase", scalar("listed"))
	phase.addKnown("effective", r.Since, "date from which it holds, such as \"2024-06-24\"")
	for _, use := range []string{"introduce", "update", "continue"} {
		phase.addKnown(use, "", "Allow, Audit, Warn or Deny")
	}
	phase.add("summary", scalar(r.Summary))
	phase.add("verification", scalar("Unverified"))
	return &yamlv3.Node{Kind: yamlv3.SequenceNode, Content: []*yamlv3.Node{phase.node()}}
}

// fields is a mapping in the order in which it is written.
type fields struct {
	content []*yamlv3.Node
	missing []string // what stands as a comment above the next key
}

func mapping() *fields { return &fields{} }

func (f *fields) add(key string, value *yamlv3.Node) {
	name := scalar(key)
	name.HeadComment = strings.Join(f.missing, "\n")
	f.missing = nil
	f.content = append(f.content, name, value)
}

// addKnown adds a text or, where it isn't known, a comment about what is to be there.
func (f *fields) addKnown(key, text, what string) {
	if text == "" {
		f.missing = append(f.missing, key+": to be completed: "+what)
		return
	}
	f.add(key, scalar(text))
}

func (f *fields) node() *yamlv3.Node {
	return &yamlv3.Node{Kind: yamlv3.MappingNode, Content: f.content}
}

// scalar is a text, quoted where YAML would take it for something else.
func scalar(text string) *yamlv3.Node {
	node := &yamlv3.Node{}
	node.SetString(text)
	return node
}

func list(texts []string) *yamlv3.Node {
	node := &yamlv3.Node{Kind: yamlv3.SequenceNode}
	for _, text := range texts {
		node.Content = append(node.Content, scalar(text))
	}
	return node
}
