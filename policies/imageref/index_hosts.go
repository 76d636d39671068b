package imageref

import "slices"

// wildHosts has the patterns whose host has a wildcard, for one port or, with "",
// for any. Their labels are followed from the right, where the literal ones are.
type wildHosts struct {
	port string
	top  *hostNode
}

// hostNode is a place in the labels of hosts, read from the right.
type hostNode struct {
	literals map[string]*hostNode
	globs    globIndex[*hostNode]
	exact    *node // the host ends here
	deeper   *node // one or more labels follow
}

func (x *Index) wildHosts(port string) *wildHosts {
	i := slices.IndexFunc(x.wild, func(w wildHosts) bool { return w.port == port })
	if i < 0 {
		x.wild = append(x.wild, wildHosts{port: port, top: &hostNode{}})
		i = len(x.wild) - 1
	}
	return &x.wild[i]
}

// root returns the node at which the path of a pattern with this host begins.
func (w *wildHosts) root(h hostPattern) *node {
	n := w.top
	for _, label := range slices.Backward(h.labels) {
		n = n.child(label)
	}
	end := &n.exact
	if h.deeper {
		end = &n.deeper
	}
	if *end == nil {
		*end = &node{}
	}
	return *end
}

func (n *hostNode) child(label glob) *hostNode {
	if label.wild() {
		return n.globs.at(label, func() *hostNode { return &hostNode{} })
	}
	if n.literals == nil {
		n.literals = map[string]*hostNode{}
	}
	child, ok := n.literals[label.literal]
	if !ok {
		child = &hostNode{}
		n.literals[label.literal] = child
	}
	return child
}

func (m *matching) walkHosts(w *wildHosts, name string) {
	m.walkLabels(w.top, hostLabels(name))
}

// walkLabels follows labels from the right.
func (m *matching) walkLabels(n *hostNode, labels []string) {
	if len(labels) == 0 {
		if n.exact != nil {
			m.walk(n.exact, 0)
		}
		return
	}
	if n.deeper != nil {
		m.walk(n.deeper, 0)
	}
	last, rest := labels[len(labels)-1], labels[:len(labels)-1]
	if child := n.literals[last]; child != nil {
		m.walkLabels(child, rest)
	}
	n.globs.match(last, func(child *hostNode) { m.walkLabels(child, rest) })
}
