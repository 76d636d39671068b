package manifest

// value scans for the end of a JSON value, and for the items of a list at its top. It
// looks at brackets and strings only: what is no JSON in other ways is found out when
// it is parsed.
type value struct {
	position  int  // how far it has been scanned
	depth     int  // of brackets
	quoted    bool // within a string
	escaped   bool // after a backslash
	discarded bool // the text is not kept
	whole     bool // it is no list that can be taken apart

	key   span // the string seen last at depth 1, without its quotes
	named bool // a colon stands behind it
	items int  // where the items begin; 0 without any
	inner bool // within the items
	begun int  // where the item at hand begins
	ended []span
}

// span is a part of the text.
type span struct{ from, to int }

// scan goes on where it stopped, and reports whether the value is complete.
func (v *value) scan(text []byte) bool {
	for ; v.position < len(text); v.position++ {
		switch c := text[v.position]; {
		case v.escaped:
			v.escaped = false
		case v.quoted:
			v.inString(c)
		case c == '"':
			v.quoted = true
			v.key.from = v.position + 1
		case v.depth == 1 && (c == ':' || c == ','):
			v.named = c == ':'
		case c == '{', c == '[':
			v.open(text, c)
		case c == '}', c == ']':
			v.close()
			if v.depth <= 0 {
				v.position++
				return true
			}
		case c == ',' && v.inner && v.depth == 2:
			v.ended = append(v.ended, span{v.begun, v.position})
			v.begun = v.position + 1
		}
	}
	return false
}

func (v *value) inString(c byte) {
	switch c {
	case '\\':
		v.escaped = true
	case '"':
		v.quoted = false
		if v.depth == 1 && !v.named {
			v.key.to = v.position
		}
	}
}

func (v *value) open(text []byte, c byte) {
	if v.depth == 1 && c == '[' && v.named && v.isItems(text) {
		v.inner, v.items, v.begun = true, v.position+1, v.position+1
	}
	v.depth++
}

// isItems reports whether the key at hand is items, of an object.
func (v *value) isItems(text []byte) bool {
	return v.items == 0 && text[0] == '{' && v.key.from < v.key.to && string(text[v.key.from:v.key.to]) == "items"
}

func (v *value) close() {
	v.depth--
	if v.inner && v.depth == 1 {
		v.inner = false
		v.ended = append(v.ended, span{v.begun, v.position})
		v.begun = v.position
	}
}

// rebase tells it that the first n bytes of the text are gone.
func (v *value) rebase(n int) {
	v.position -= n
	v.begun -= n
	v.key = span{}
	v.ended = nil
}
