package manifest

import (
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// step is one step of a path: a key, or an index into a list.
type step struct {
	key   string
	index int
	list  bool
}

// steps takes a path apart: keys after dots or quoted in brackets, and indices.
func steps(path string) []step {
	var list []step
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return list
			}
			key, _ := strconv.Unquote(quoted)
			list = append(list, step{key: key})
			path = strings.TrimPrefix(path[1+len(quoted):], "]")
		case path[0] == '[':
			number, rest, _ := strings.Cut(path[1:], "]")
			index, err := strconv.Atoi(number)
			if err != nil {
				return list
			}
			list = append(list, step{index: index, list: true})
			path = rest
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			list = append(list, step{key: path[:end]})
			path = path[end:]
		}
	}
	return list
}

func resolve(node *yamlv3.Node) *yamlv3.Node {
	for node.Kind == yamlv3.AliasNode {
		node = node.Alias
	}
	return node
}

// child follows one step; nil where it leads nowhere.
func child(node *yamlv3.Node, s step) *yamlv3.Node {
	if s.list {
		if node.Kind != yamlv3.SequenceNode || s.index >= len(node.Content) {
			return nil
		}
		return node.Content[s.index]
	}
	if node.Kind != yamlv3.MappingNode {
		return nil
	}
	var merged *yamlv3.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch key := resolve(node.Content[i]); {
		case key.Value == s.key:
			return node.Content[i+1]
		case key.Tag == mergeTag:
			merged = node.Content[i+1]
		}
	}
	return mergedChild(merged, s)
}

// mergedChild looks into what << brings in: a map, or a list of maps.
func mergedChild(merged *yamlv3.Node, s step) *yamlv3.Node {
	if merged == nil {
		return nil
	}
	merged = resolve(merged)
	if merged.Kind != yamlv3.SequenceNode {
		return child(merged, s)
	}
	for _, source := range merged.Content {
		if found := child(resolve(source), s); found != nil {
			return found
		}
	}
	return nil
}
