package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// readYAML reads the text. To the parser a key that is set over one that << brings in is
// a key given twice; this looks again.
func (c chunk) readYAML() (any, error) {
	value, err := readYAML(c.text)
	if err == nil || !strings.Contains(err.Error(), "already set in map") && !strings.Contains(err.Error(), "invalid map key") {
		return value, err
	}
	root, unread := c.tree()
	if unread != nil || root == nil {
		return nil, err
	}
	if err := checkKeys(root); err != nil {
		return nil, err
	}
	return decodeYAML(c.text, false)
}

// checkKeys finds keys that are no text, and those that are given twice.
func checkKeys(node *yamlv3.Node) error {
	if node.Kind == yamlv3.MappingNode {
		if err := checkMap(node); err != nil {
			return err
		}
	}
	for _, inner := range node.Content {
		if err := checkKeys(inner); err != nil {
			return err
		}
	}
	return nil
}

// checkMap checks the keys of one map. Where << stands behind a key that it brings in
// too, some readers keep the one and some the other.
func checkMap(node *yamlv3.Node) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := resolve(node.Content[i])
		name, err := nameOf(key)
		if err == nil && seen[name] {
			err = fmt.Errorf("key %q already set in map", name)
		}
		if err == nil && key.Tag == mergeTag {
			err = checkMerge(node.Content[i+1], seen)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Content[i].Line, err)
		}
		seen[name] = true
	}
	return nil
}

func checkMerge(merged *yamlv3.Node, seen map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if mergedChild(merged, step{key: name}) != nil {
			return fmt.Errorf("<< stands behind key %q, which it sets too: it has to stand before it", name)
		}
	}
	return nil
}

// mergeTag is that of the key <<.
const mergeTag = "!!merge"

// nameOf is a key as JSON has it.
func nameOf(key *yamlv3.Node) (string, error) {
	if key.Kind != yamlv3.ScalarNode {
		return "", errors.New("a key is a map or a list, but should be text")
	}
	if key.Tag == mergeTag {
		return key.Value, nil
	}
	var value any
	if err := key.Decode(&value); err != nil {
		return "", err
	}
	return keyAsJSON(value)
}
