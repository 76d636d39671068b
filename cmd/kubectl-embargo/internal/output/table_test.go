package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

func lines(text string) []string { return strings.Split(text, "\n") }

func TestTablesOfFilesNamePlacesAndThoseOfClustersNameClusters(t *testing.T) {
	assert.Regexp(t, `^ACTION +VENDOR +RESTRICTION +OBJECT +CONTAINER +IMAGE +PLACE +REASON$`, lines(checked(t).print(t, "table"))[0])
	assert.Regexp(t, `^ACTION .*IMAGE +CLUSTER +SINCE +REASON$`, lines(audited(t).print(t, "table"))[0])
	wide := lines(audited(t).print(t, "wide"))
	assert.Regexp(t, `CLUSTER +SINCE +EVIDENCE +CONFIDENCE +USE +PHASE +EFFECTIVE +NEXT +NEXT-ON +POLICIES +WAIVER +CARRIER +RESTART +REASON$`, wide[0])
	assert.Regexp(t, `(?m)^Deny .*production +2023-05-04 +Reference +Confirmed +Introduce +sales-prohibited +2024-07-20T04:00Z +updates-prohibited +2024-09-29T04:00Z +default +- +- +- +sales-prohibited since 2024-07-20; next updates-prohibited from 2024-09-29, 45 days$`, strings.Join(wide, "\n"))
}

func TestColoursLeaveColumnsAligned(t *testing.T) {
	var coloured bytes.Buffer
	require.NoError(t, output.Print(&coloured, "table", &checked(t).Result, true))
	assert.Contains(t, coloured.String(), "\x1b[31mDeny\x1b[0m")
	assert.Equal(t, checked(t).print(t, "table"), regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(coloured.String(), ""))
}

func TestATableHasNoControlCharacters(t *testing.T) {
	s := newSample(t, output.KindCheck, "2024-09-30").add(at("evil\x1b[2J.yaml", 1, "a\x07"), unreadTag)
	assert.NotRegexp(t, `[\x00-\x08\x0b-\x1f]`, s.print(t, "wide"))
}

func TestCSVIsReadBySpreadsheetsAsText(t *testing.T) {
	s := audited(t)
	s.Findings[0].Name, s.Findings[0].Container = `=cmd|' /C calc'!A1`, "a,\"b\""
	text := s.print(t, "csv")
	assert.True(t, strings.HasSuffix(text, "\r\n"))
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, "cluster,namespace,apiVersion,kind,name,container,field,image,canonical,upstream,vendor,restriction,phase,effective,evaluatedAt,use,action,evidence,confidence,policies,waiver,nextPhase,nextEffective,nextAction,since,message,sinceFrom,arrivedAfterBan,carrier,pods,digests,alsoNamed,restartAction,restartOwner",
		strings.Join(rows[0], ","))
	require.Len(t, rows, 1+len(s.Findings))
	assert.Equal(t, `'=cmd|' /C calc'!A1`, rows[1][4])
	assert.Equal(t, `a,"b"`, rows[1][5])
	assert.Equal(t, "2023-05-04T00:00:00Z", rows[1][24])
}

func TestJSONOfAnAuditHasClustersAndNoLines(t *testing.T) {
	type findings struct{ Findings []map[string]any }
	var live, files findings
	require.NoError(t, json.Unmarshal([]byte(audited(t).print(t, "json")), &live))
	assert.Equal(t, "production", live.Findings[0]["cluster"])
	assert.NotContains(t, live.Findings[0], "file")
	assert.NotContains(t, live.Findings[0], "line")
	require.NoError(t, json.Unmarshal([]byte(checked(t).print(t, "json")), &files))
	assert.Equal(t, "deploy/av.yaml", files.Findings[0]["file"])
	assert.NotContains(t, files.Findings[0], "cluster")
	assert.NotContains(t, files.Findings[0], "since")
	assert.NotContains(t, files.Findings[0], "endColumn")
}

func TestJSONIsWhatTheEncoderWouldWrite(t *testing.T) {
	for _, s := range []*sample{newSample(t, output.KindCheck, "2024-09-30"), checked(t), audited(t)} {
		s.Notices = []string{"<a> & b"}
		if s.Findings == nil {
			s.Findings = []output.Finding{}
		}
		s.Errors = []output.InputError{}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		require.NoError(t, encoder.Encode(s.Result))
		assert.Equal(t, want.String(), s.print(t, "json"))
	}
}

func TestEmptyListsAreNotNull(t *testing.T) {
	s := newSample(t, output.KindCheck, "2024-09-30")
	assert.Contains(t, s.print(t, "json"), `"findings": []`)
	assert.Contains(t, s.print(t, "json"), `"notices": []`)
	assert.Contains(t, s.print(t, "yaml"), "findings: []")
}
