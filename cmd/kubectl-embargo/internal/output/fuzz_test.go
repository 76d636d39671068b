package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

// FuzzAnyTextIsReadAgain has any text be the name of an image and of a container. Readers of
// YAML, JSON, XML and CSV read all of it; YAML and JSON give the text back.
func FuzzAnyTextIsReadAgain(f *testing.F) {
	for _, text := range []string{"nginx", "busybox\x7f", "a\u0085b\u2028c", "\ufffe\uffff", "\U000e0001", "]]>\x01<&", "- a: |", "=1+1", "\\u007f", "\r\n", "'\"", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.Marshal(text)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &text)) // as an object holds it, in UTF-8
		finding := output.Finding{Kind: "Pod", Name: "p", File: text}
		finding.Image, finding.Container = text, text
		for _, kind := range []string{output.KindCheck, output.KindAudit} {
			r := &output.Result{Kind: kind, Notices: []string{text}, Findings: []output.Finding{finding}, Errors: []output.InputError{{File: text, Message: text}}}
			printed := func(format string) string {
				var out bytes.Buffer
				require.NoError(t, output.Print(&out, format, r, false))
				return out.String()
			}
			for format, decode := range map[string]func([]byte, any) error{
				"json": json.Unmarshal, "yaml": func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
			} {
				var back output.Result
				require.NoError(t, decode([]byte(printed(format)), &back), format)
				assert.Equal(t, text, back.Findings[0].Image, format)
				assert.Equal(t, text, back.Findings[0].Container, format)
				assert.Equal(t, r.Notices, back.Notices, format)
			}
			decoder := xml.NewDecoder(strings.NewReader(printed("junit")))
			for err = nil; err == nil; _, err = decoder.Token() {
			}
			require.ErrorIs(t, err, io.EOF)
			for _, format := range []string{"table", "wide", "html"} {
				assert.NotRegexp(t, `[\x00-\x08\x0b-\x1f\x7f]`, printed(format), format)
			}
			if kind == output.KindAudit {
				_, err := csv.NewReader(strings.NewReader(printed("csv"))).ReadAll()
				require.NoError(t, err)
			}
		}
	})
}
