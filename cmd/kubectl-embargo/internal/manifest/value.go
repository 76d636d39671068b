package manifest

import (
	"bytes"
	"cmp"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/json"
)

// readYAML reads a document as kubectl reads it: in the way of sigs.k8s.io/yaml, which
// is by this parser, and on as JSON. Its own functions can't be used, since they
// overlook what follows the first document of a text, and read twice.
func readYAML(text []byte) (any, error) { return decodeYAML(text, true) }

// decodeYAML refuses keys that are given twice if it is to be strict.
func decodeYAML(text []byte, strict bool) (any, error) {
	decoder := yamlv2.NewDecoder(bytes.NewReader(text))
	decoder.SetStrict(strict)
	var read, another any
	switch err := decoder.Decode(&read); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	switch err := decoder.Decode(&another); {
	case err == nil:
		return nil, errors.New("another document begins without a line --- before it")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return asJSON(read)
}

// asJSON makes of a YAML value what JSON would make of it.
func asJSON(value any) (any, error) {
	switch v := value.(type) {
	case nil, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case string:
		if utf8.ValidString(v) {
			return v, nil
		}
	case []any:
		for i := range v {
			item, err := asJSON(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = item
		}
		return v, nil
	case map[any]any:
		return mapAsJSON(v)
	}
	return throughJSON(value)
}

func mapAsJSON(from map[any]any) (any, error) {
	to := make(map[string]any, len(from))
	for key, value := range from {
		name, err := keyAsJSON(key)
		if err != nil {
			return nil, err
		}
		if _, twice := to[name]; twice {
			return nil, fmt.Errorf("key %q already set in map", name)
		}
		if to[name], err = asJSON(value); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// keyAsJSON makes text of a key, as sigs.k8s.io/yaml does.
func keyAsJSON(key any) (string, error) {
	switch k := key.(type) {
	case string:
		return k, nil
	case int:
		return strconv.Itoa(k), nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case float64:
		text := strconv.FormatFloat(k, 'g', -1, 32)
		return cmp.Or(map[string]string{"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}[text], text), nil
	case bool:
		return strconv.FormatBool(k), nil
	default:
		return "", fmt.Errorf("a key is %v (%T), but should be text", key, key)
	}
}

// throughJSON takes what is rare, such as numbers with a fraction, the long way.
func throughJSON(value any) (any, error) {
	raw, err := stdjson.Marshal(value)
	if err != nil {
		return nil, err
	}
	var read any
	return read, json.UnmarshalCaseSensitivePreserveInts(raw, &read)
}
