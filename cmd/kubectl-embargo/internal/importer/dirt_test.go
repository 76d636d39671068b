package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
)

const (
	cslHeader = "source,type,name\n"
	cslGood   = "\"Entity List (EL) - BIS\",\"Entity\",\"Sample %s Works\"\n"
)

// TestABadRowIsNamedAndTheOthersKept has bad rows between a good one and another.
func TestABadRowIsNamedAndTheOthersKept(t *testing.T) {
	for label, c := range map[string]struct{ row, says string }{
		"a stray quote":         {"\"Entity List (EL) - BIS\",\"Entity\",\"Sam\"ple\"\n", "list:3: extraneous or missing"},
		"a quote without end":   {"\"Entity List (EL) - BIS\",\"Entity\",\"Sample\n", "list:3: "},
		"too few fields":        {"\"Entity List (EL) - BIS\",\"Entity\"\n", "list:3: it has 2 fields where 3 should be"},
		"too many fields":       {"\"Entity List (EL) - BIS\",\"Entity\",\"a\",\"b\"\n", "list:3: it has 4 fields where 3 should be"},
		"no name":               {"\"Entity List (EL) - BIS\",\"Entity\",\" \"\n", "list:3: it has no name"},
		"no list":               {"\"\",\"Entity\",\"Sample\"\n", "list:3: it doesn't say on which list"},
		"another encoding":      {"\"Entity List (EL) - BIS\",\"Entity\",\"Soci\xe9t\xe9\"\n", "list:3: it is not UTF-8"},
		"a row without any end": {"\"Entity List (EL) - BIS\",\"Entity\",\"" + strings.Repeat("a", 2<<20) + "\"\n", "list:3: it takes more than 1048576 bytes"},
	} {
		t.Run(label, func(t *testing.T) {
			text := cslHeader + fmt.Sprintf(cslGood, "First") + c.row + fmt.Sprintf(cslGood, "Second") + fmt.Sprintf(cslGood, "Third")
			r := run(t, "csl", text, importer.Side{}, importer.Selection{})
			require.NoError(t, r.err)
			require.Len(t, r.bad, 1, "%v", r.bad)
			assert.Contains(t, r.bad[0], c.says)
			assert.Equal(t, 1, r.Count.Bad)
			assert.Equal(t, []string{"sample-first-works", "sample-second-works", "sample-third-works"}, r.names())
			assert.Equal(t, []string{"list:4"}, r.drafts[1].Notes, "the lines are counted right")
		})
	}
}

func TestAQuoteThatIsNeverClosedCostsOneRow(t *testing.T) {
	text := cslHeader + "\"Entity List (EL) - BIS\",\"Entity\",\"Sample\n" + strings.Repeat(fmt.Sprintf(cslGood, "Other"), 40_000)
	r := run(t, "csl", text, importer.Side{}, importer.Selection{})
	assert.Equal(t, []string{"list:2: a quote in it is never closed"}, r.bad)
	assert.Equal(t, 40_000, r.Count.Read)
	assert.Equal(t, 1000, r.Count.Selected, "of one company no more are brought together")
	assert.Equal(t, 39_000, r.Count.Crowded)
	assert.Contains(t, r.drafts[0].Notes, "and 950 more rows")
}

func TestTwoStrayQuotesFarApartCostTwoRows(t *testing.T) {
	var text strings.Builder
	text.WriteString(cslHeader)
	for i := range 1000 {
		if i == 100 || i == 900 {
			text.WriteString("\"Entity List (EL) - BIS\",\"Entity\",\"Sample\n")
			continue
		}
		fmt.Fprintf(&text, cslGood, strconv.Itoa(i))
	}
	r := run(t, "csl", text.String(), importer.Side{}, importer.Selection{})
	assert.Len(t, r.bad, 2)
	assert.Len(t, r.drafts, 998)
}

func TestARowOverSeveralLinesIsOne(t *testing.T) {
	text := cslHeader + "\"Entity List (EL) - BIS\",Entity,\"Sample\r\nOptics\r\nWorks\"\r\n" + "\r\n" + fmt.Sprintf(cslGood, "Second")
	r := run(t, "csl", text, importer.Side{}, importer.Selection{})
	assert.Empty(t, r.bad)
	assert.Equal(t, []string{"sample-optics-works", "sample-second-works"}, r.names())
	assert.Equal(t, []string{"list:6"}, r.drafts[1].Notes)
}

func TestABadElementIsNamedAndTheOthersKept(t *testing.T) {
	good := `{"source":"Entity List (EL) - BIS","type":"Entity","name":"Sample %s Works"}`
	for label, c := range map[string]struct{ element, says string }{
		"a name that is a list": {`{"source":"x","name":["a"]}`, "list: results[1]: "},
		"no object":             {`"a"`, "list: results[1]: there is \"a\" where an entry should be"},
		"no name":               {`{"source":"x","name":null}`, "list: results[1]: it has no name"},
		"addresses as text":     {`{"source":"x","name":"Sample Works","addresses":"a"}`, "list: results[1]: "},
	} {
		t.Run(label, func(t *testing.T) {
			text := `{"total":3,"results":[` + fmt.Sprintf(good, "First") + "," + c.element + "," + fmt.Sprintf(good, "Second") + `],"total":3}`
			r := run(t, "csl", text, importer.Side{}, importer.Selection{})
			require.NoError(t, r.err)
			require.Len(t, r.bad, 1)
			assert.Contains(t, r.bad[0], c.says)
			assert.Equal(t, []string{"sample-first-works", "sample-second-works"}, r.names())
			assert.Empty(t, r.notices)
		})
	}
}

func TestBadRowsOfOFACs(t *testing.T) {
	r := run(t, "ofac", "ent_num,SDN_Name,SDN_Type,Program,Title,Call_Sign,Vess_type,Tonnage,GRT,Vess_flag,Vess_owner,Remarks\n"+sample(t, "sdn.csv")+"7,short\n", side(t), importer.Selection{})
	assert.Equal(t, []string{`list:1: it begins with "ent_num" where the number of an entity should be`, "list:7: it has 2 fields where 12 should be"}, r.bad)
	assert.Len(t, r.drafts, 2)
	r = run(t, "ofac", strings.Replace(sample(t, "sdn.xml"), "<lastName>EXAMPLE ANTIVIRUS JSC</lastName>", "", 1), importer.Side{}, importer.Selection{})
	assert.Equal(t, []string{"list:7: it has no name"}, r.bad)
	assert.Len(t, r.drafts, 1)
}

// TestAFileThatEndsTooEarlyKeepsWhatCameBefore cuts files short.
func TestAFileThatEndsTooEarlyKeepsWhatCameBefore(t *testing.T) {
	for _, c := range []struct{ format, file, at, place string }{
		{"csl", "csl.json", `"Sample Bank"`, "list: results[5]: it ends too early"},
		{"ofac", "sdn.xml", "SAMPLE STAR", "list:28: unexpected EOF"},
	} {
		text, _, found := strings.Cut(sample(t, c.file), c.at)
		require.True(t, found)
		r := run(t, c.format, text, importer.Side{}, importer.Selection{})
		var bad *importer.BadRow
		require.ErrorAs(t, r.err, &bad, c.file)
		assert.Equal(t, c.place, bad.Error())
		assert.Equal(t, "example-antivirus-jsc", r.drafts[0].Name)
	}
}

func TestAReaderThatFailsIsTold(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ format, file string }{{"csl", "csl.csv"}, {"csl", "csl.json"}, {"ofac", "sdn.csv"}, {"ofac", "sdn.xml"}, {"opensanctions", "targets.simple.csv"}} {
		in := io.MultiReader(strings.NewReader(sample(t, c.file)[:200]), iotest.ErrReader(broken))
		var i importer.Import
		i.Bad, i.Notice = func(*importer.BadRow) {}, func(string) {}
		err := i.Run(c.format, importer.File{Name: "list", Reader: in}, importer.Side{}, func(*importer.Draft) error { return nil })
		require.ErrorIs(t, err, broken, c.file)
	}
}

// TestNoTemporaryFileIsLeft also stops in the middle.
func TestNoTemporaryFileIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	enough := errors.New("enough")
	for _, answer := range []error{nil, enough} {
		i := importer.Import{Bad: func(*importer.BadRow) {}, Notice: func(string) {}}
		err := i.Run("csl", importer.File{Name: "list", Reader: strings.NewReader(sample(t, "csl.csv"))}, importer.Side{}, func(*importer.Draft) error {
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, left, 1)
			return answer
		})
		require.Equal(t, answer, err)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

func TestReadingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	file, closer, err := importer.Open(ctx, "testdata/csl.csv", nil)
	require.NoError(t, err)
	defer closer.Close() //nolint:errcheck // read only
	cancel()
	i := importer.Import{Bad: func(*importer.BadRow) {}, Notice: func(string) {}}
	require.ErrorIs(t, i.Run("csl", file, importer.Side{}, func(*importer.Draft) error { return nil }), context.Canceled)
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	for _, c := range []struct{ format, text, says string }{
		{"csl", "", "list: it is empty"},
		{"csl", "<html>", "want the Consolidated Screening List as JSON or CSV"},
		{"csl", "a,b\n1,2\n", `list:1: the header has no column "source"`},
		{"csl", `{"error":"x"}`, "there is no list results in it"},
		{"csl", `{"results":{}}`, "results is no list"},
		{"csl", `{"results":[` + strings.Repeat(" ", 3<<20) + `]}`, "it takes more than 1048576 bytes"},
		{"ofac", "<html></html>", "list:1: its outer element is html: want sdnList"},
		{"ofac", `{"a":1}`, "want OFAC's list as XML"},
		{"ofac", `<?xml version="1.0"?><sdnList><sdnEntry><uid>` + strings.Repeat("1", 2<<20) + `</uid></sdnEntry></sdnList>`, "it takes more than 1048576 bytes"},
		{"opensanctions", `{"id":"x"}`, "want a dataset's targets.simple.csv"},
		{"opensanctions", "id,name\n", `the header has no column "schema"`},
	} {
		r := run(t, c.format, c.text, importer.Side{}, importer.Selection{})
		require.Error(t, r.err, c.text)
		assert.Contains(t, r.err.Error(), c.says)
		assert.Empty(t, r.drafts)
	}
}
