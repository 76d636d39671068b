package manifest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// block is what is known of a YAML text that may be a list in block style, as kubectl
// writes it. One that is too long to be held in memory is cut at the dashes of its
// items: nothing within an item stands as far left. Where that isn't so, as with text in
// quotes over several lines, the parts can't be read, which is an error and not passed
// over.
type block struct {
	*list // once items have begun

	state   state
	indent  int // of the dashes
	scanned int // up to where lines have been looked at
	from    int // where the item at hand begins
}

// state is what the next line can be.
type state int

const (
	inHead  state = iota // before the items
	atItems              // behind the key items
	inItems
	inTail // behind the items
	noList
)

// takeBlock visits the items that are complete, and lets go of them.
func (s *splitter) takeBlock() {
	for s.block.state < inTail {
		length := bytes.IndexByte(s.chunk.text[s.block.scanned:], '\n') + 1
		if length == 0 {
			return
		}
		line := s.chunk.text[s.block.scanned : s.block.scanned+length]
		if rest := bytes.TrimLeft(line, " "); !idle(rest) {
			s.blockLine(rest, len(line)-len(rest))
		}
		s.block.scanned += length
	}
}

// blockLine takes a line that is neither blank nor a comment.
func (s *splitter) blockLine(rest []byte, indent int) {
	b := &s.block
	switch {
	case b.state == inHead:
		if indent == 0 && string(bytes.TrimSpace(rest)) == "items:" {
			b.state = atItems
		}
	case b.state == atItems && isDash(rest) && b.begin(s.chunk):
		b.state, b.indent, b.from = inItems, indent, b.scanned
	case b.state == atItems:
		b.state = noList
	case indent > b.indent: // within an item
	case indent == b.indent && isDash(rest):
		s.visitBlockItem()
	default:
		s.visitBlockItem()
		b.state = inTail
	}
}

// begin reads what the list says of itself before its items; false where that is that
// it is none.
func (b *block) begin(c chunk) bool {
	value, err := readYAML(c.text[:b.scanned])
	head, ok := value.(map[string]any)
	kind := text(head, "kind")
	if err != nil || !ok || kind != "" && !strings.HasSuffix(kind, "List") {
		return false
	}
	b.list = &list{APIVersion: text(head, "apiVersion"), Kind: kind, line: c.line, head: bytes.Clone(c.text[:b.scanned])}
	return true
}

// idle reports whether a line, from its first character on, is blank or a comment.
func idle(rest []byte) bool { return len(bytes.TrimSpace(rest)) == 0 || rest[0] == '#' }

// isDash recognises the dash of an item.
func isDash(rest []byte) bool { return rest[0] == '-' && strings.IndexByte(" \t\r\n", rest[1]) >= 0 }

// visitBlockItem visits the item before the line at hand. A blank in the place of its
// dash leaves every column as it was.
func (s *splitter) visitBlockItem() {
	b := &s.block
	s.chunk = s.chunk.after(b.from)
	item := s.chunk.text[:b.scanned-b.from]
	dash := bytes.IndexByte(item, '-')
	item[dash] = ' '
	one := chunk{line: s.chunk.line, text: item, list: b.list}
	if hidesBreaks(item) {
		one.err = errors.New("a list this long is cut at its lines, and in this item one ends in another way than with a line feed")
	}
	s.visit(one)
	s.chunk = s.chunk.after(len(item))
	b.from, b.scanned = 0, 0
}

// endBlock visits the last item, and checks that the rest says that it is a list.
func (s *splitter) endBlock() {
	b := &s.block
	s.chunk.text = append(s.chunk.text, '\n') // the last line may lack it
	s.takeBlock()
	if b.state == inItems {
		s.visitBlockItem()
	}
	value, err := readYAML(slices.Concat(b.head, s.chunk.text))
	rest, _ := value.(map[string]any)
	switch {
	case err != nil:
	case rest["items"] != nil:
		err = errors.New("there is text behind the items that is neither an item nor a key")
	default:
		err = saysList(rest)
	}
	if err != nil {
		// The line that the parser names is none of the file's.
		err = errors.New("the list, read without its items: " + lineOf.ReplaceAllString(err.Error(), "$2"))
		s.visit(chunk{line: b.line, err: err})
	}
}
