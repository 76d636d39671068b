package manifest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/json"
)

// list is a list that is too long to be held in memory, and so is taken apart while it
// is read. What it says of itself before its items is known, the rest is
// checked at its end.
type list struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`

	line int
	head []byte // its text up to the items
}

// takeItems visits the items that are complete, and lets go of them.
func (s *splitter) takeItems() {
	if len(s.value.ended) == 0 || s.list == nil && !s.beginList() {
		return
	}
	s.visitItems()
}

// beginList reports whether the value is a list, as far as it says by now.
func (s *splitter) beginList() bool {
	if s.value.whole {
		return false
	}
	head := bytes.Clone(s.chunk.text[:s.value.items])
	l := &list{line: s.chunk.line, head: head}
	err := stdjson.Unmarshal(append(bytes.Clone(head), "]}"...), l)
	if err != nil || l.Kind != "" && !strings.HasSuffix(l.Kind, "List") {
		s.value.whole = true
		return false
	}
	s.list = l
	return true
}

func (s *splitter) visitItems() {
	c, passed := s.chunk, 0
	for _, item := range s.value.ended {
		text := s.chunk.text[item.from:item.to]
		begin := item.from + len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
		c = c.after(begin - passed)
		passed = begin
		one := chunk{line: c.line, column: c.column, text: s.chunk.text[begin:item.to], json: true, list: s.list}
		if len(one.text) == 0 {
			one.err = errors.New("an item of the list is missing between two commas")
		}
		s.visit(one)
	}
	s.drop(s.value.begun)
}

// endList visits the last items, and checks that the rest of it says that it is a
// list.
func (s *splitter) endList() {
	s.visitItems()
	var rest map[string]any // of all keys, so that any that is given twice is found
	raw := slices.Concat(s.list.head, s.chunk.text[:s.value.position])
	twice, err := json.UnmarshalStrict(raw, &rest, json.DisallowDuplicateFields)
	switch {
	case err != nil:
	case len(twice) > 0:
		err = twice[0]
	default:
		err = saysList(rest)
	}
	if err != nil {
		s.visit(chunk{line: s.list.line, err: err})
	}
}

// saysList refuses what turns out to be no list when its items have been read.
func saysList(fields map[string]any) error {
	if text(fields, "apiVersion") == "" || !strings.HasSuffix(text(fields, "kind"), "List") {
		return fmt.Errorf("a document this long can only be read item by item, which needs apiVersion and a kind that ends in List, not %q", text(fields, "kind"))
	}
	return nil
}

// typed fills in what the item of a typed list, such as a PodList, needn't say: what
// it is.
func (l *list) typed(item any) (any, error) {
	fields, ok := item.(map[string]any)
	if !ok || text(fields, "kind") != "" {
		return item, nil
	}
	kind := strings.TrimSuffix(l.Kind, "List")
	if kind == "" {
		return nil, errors.New("neither the item nor, before its items, the list says what kind it is")
	}
	fields["apiVersion"], fields["kind"] = l.APIVersion, kind
	return fields, nil
}
