package command_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inFolder makes a folder with a Deployment of a vendor's image, a clean one, and a
// broken document, and goes there.
func inFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	clean := strings.ReplaceAll(deployment, "kaspersky/scanengine_httpd:2.1", "nginx")
	for name, text := range map[string]string{"a.yaml": deployment, "b.yaml": clean, "c.yaml": "a: [\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Chdir(dir)
}

func TestSARIFOfAFolderPointsToTheValue(t *testing.T) {
	inFolder(t)
	a := run(t, "", "check", "-f", ".", "--as-of", "2024-09-30", "-o", "sarif")
	assert.Equal(t, 2, a.code)
	var log struct {
		Runs []struct {
			Invocations []struct{ ExecutionSuccessful bool }
			Results     []struct {
				RuleID    string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           map[string]int
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &log))
	assert.True(t, log.Runs[0].Invocations[0].ExecutionSuccessful, "readers drop the results of a run that failed")
	require.Len(t, log.Runs[0].Results, 1)
	place := log.Runs[0].Results[0].Locations[0].PhysicalLocation
	assert.Equal(t, "a.yaml", place.ArtifactLocation.URI)
	assert.Equal(t, map[string]int{"startLine": 12, "startColumn": 18, "endLine": 12, "endColumn": 50}, place.Region)
}

func TestSARIFNamesAFileWithAColonAsAFile(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.WriteFile("a:b.yaml", []byte(deployment), 0o600))
	assert.Contains(t, run(t, "", "check", "-f", "a:b.yaml", "-o", "sarif").stdout, `"uri": "./a:b.yaml"`)
}

func TestJUnitOfAFolderHasCleanImagesAndErrors(t *testing.T) {
	inFolder(t)
	a := run(t, "", "check", "-f", ".", "-o", "junit")
	var report struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	require.NoError(t, xml.Unmarshal([]byte(a.stdout), &report))
	assert.Equal(t, [3]int{3, 1, 1}, [3]int{report.Tests, report.Failures, report.Errors})
}

func TestThePageOfAFolderSaysThatItIsIncomplete(t *testing.T) {
	inFolder(t)
	a := run(t, "", "check", "-f", ".", "--as-of", "2024-09-30", "-o", "html")
	assert.Contains(t, a.stdout, "<h1>1 image would be refused</h1>")
	assert.Contains(t, a.stdout, "Incomplete: not everything could be read")
	assert.Contains(t, a.stdout, "c.yaml:1:")
	assert.Contains(t, a.stdout, "a.yaml:12:18")
	assert.Contains(t, a.stdout, "as of 2024-09-30")
}

func TestWideTablesSayWhy(t *testing.T) {
	a := run(t, deployment, "check", "-f", "-", "--as-of", "2024-08-01", "-o", "wide")
	assert.Regexp(t, `(?m)^Deny .*<stdin>:12 +Reference +Confirmed +Introduce +sales-prohibited +2024-07-20T04:00Z +updates-prohibited +2024-09-29T04:00Z +default +- +sales-prohibited since 2024-07-20; next updates-prohibited from 2024-09-29, 59 days$`, a.stdout)
	assert.Equal(t, 2, run(t, deployment, "check", "-f", "-", "-o", "csv").code, "csv is for audits")
}
