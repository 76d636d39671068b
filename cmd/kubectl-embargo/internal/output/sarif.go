package output

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	// sourceRoot is what files are relative to, by the name that readers know.
	sourceRoot = "%SRCROOT%"
	// maxResults is how many results GitHub takes of a run.
	maxResults = 25_000
)

// levels are SARIF's words for the actions.
var levels = map[v1alpha1.Action]string{v1alpha1.ActionDeny: "error", v1alpha1.ActionWarn: "warning", v1alpha1.ActionAudit: "note"}

// printSARIF writes a rule for each restriction that findings name, and a result for
// each finding. Of more findings than readers take, the strongest are written, and how
// many there are is said.
func printSARIF(w io.Writer, r *Result, _ bool) error {
	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b Finding) int { return b.Action.Strength() - a.Action.Strength() })
	notifications := r.notifications()
	if len(findings) > maxResults {
		notifications = append(notifications, sarifNotification{"warning", sarifText{
			Text: fmt.Sprintf("%d of %d findings are reported, the strongest first: readers take no more", maxResults, len(findings)),
		}})
		findings = findings[:maxResults]
	}
	rules, index := r.rules()
	run := sarifRun{
		Tool:              sarifTool{sarifDriver{Name: "embargo", FullName: "Embargo: images of restricted vendors", Version: r.Version, SemanticVersion: semantic(r.Version), Rules: rules}},
		AutomationDetails: sarifAutomation{"embargo/check/"},
		Invocations:       []sarifInvocation{{ExecutionSuccessful: true, EndTimeUTC: made(r.Made), Notifications: notifications}},
		OriginalURIBaseIDs: map[string]sarifArtifact{sourceRoot: {
			Description: &sarifText{Text: "the folder in which the command ran"},
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    results(findings, index),
		Properties: map[string]any{"asOf": r.AsOf, "ruleSet": r.RuleSet, "objects": r.Summary.Objects, "images": r.Summary.Images},
	}
	return encodeJSON(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// notifications tell what a reader should know beside the results.
func (r *Result) notifications() []sarifNotification {
	var list []sarifNotification
	for _, e := range r.Errors {
		list = append(list, sarifNotification{"error", sarifText{Text: e.String()}})
	}
	for _, notice := range r.Notices {
		list = append(list, sarifNotification{"note", sarifText{Text: notice}})
	}
	return list
}

func results(findings []Finding, index map[string]int) []sarifResult {
	seen := map[string]int{}
	list := make([]sarifResult, 0, len(findings))
	for _, f := range findings {
		fingerprint := f.fingerprint()
		seen[fingerprint]++
		id := f.ruleID()
		one := sarifResult{
			RuleID: id, RuleIndex: index[id], Level: levels[f.Action], Message: sarifText{Text: f.Message},
			Locations:           []sarifLocation{f.location()},
			PartialFingerprints: map[string]string{"primaryLocationLineHash": fmt.Sprintf("%s:%d", fingerprint, seen[fingerprint])},
			Properties: map[string]any{
				"image": f.Image, "canonical": f.Canonical, "use": f.Use, "action": f.Action, "evidence": f.Evidence,
				"confidence": f.Confidence, "phase": f.Phase, "next": f.Next, "policies": f.Policies,
			},
		}
		if f.Waiver != "" {
			one.Suppressions = []sarifSuppressed{{Kind: "external", Status: "accepted", Justification: fmt.Sprintf("VendorWaiver %q", f.Waiver)}}
		}
		list = append(list, one)
	}
	return list
}

// fingerprint names a finding however lines move, containers are reordered and dates
// pass: by the image field's owner and the image as written. Another version of the
// image is another finding, since what was decided about one need not hold for it.
func (f Finding) fingerprint() string {
	place := f.Field
	if f.Container != "" {
		place = indices.ReplaceAllString(f.Field, "[]") + "/" + f.Container
	}
	group, _, _ := strings.Cut(f.APIVersion, "/")
	sum := sha256.Sum256([]byte(strings.Join([]string{
		f.ruleID(), slashed(f.File), group, f.Kind, f.Namespace, f.Name, place, f.Image,
	}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

var indices = regexp.MustCompile(`\[\d+\]`)

func (f Finding) location() sarifLocation {
	artifact := sarifArtifact{URI: uri(f.File)}
	if !strings.Contains(artifact.URI, "://") {
		artifact.URIBaseID = sourceRoot
	}
	region := sarifRegion{StartLine: max(f.Line, 1), StartColumn: f.Column}
	if f.EndColumn > f.Column {
		region.EndLine, region.EndColumn = region.StartLine, f.EndColumn
	}
	return sarifLocation{
		Physical: sarifPhysical{Artifact: artifact, Region: region},
		Logical:  []sarifLogical{{FullyQualifiedName: fmt.Sprintf("%s.%s", f.object(), f.Field), Kind: "member"}},
	}
}

// uri makes a reference of a file's name: a path relative to the working folder, or a
// URL.
func uri(file string) string {
	if strings.Contains(file, "://") {
		return file
	}
	path := slashed(file)
	if filepath.IsAbs(path) {
		return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(path, "/")}).String()
	}
	return (&url.URL{Path: strings.Trim(path, "<>")}).String()
}

// slashed is the name relative to the working folder, where the file is in it.
func slashed(file string) string {
	if filepath.IsAbs(file) {
		if folder, err := os.Getwd(); err == nil {
			if relative, err := filepath.Rel(folder, file); err == nil && filepath.IsLocal(relative) {
				file = relative
			}
		}
	}
	return filepath.ToSlash(filepath.Clean(file))
}

func semantic(version string) string {
	if v := strings.TrimPrefix(version, "v"); semver.MatchString(v) {
		return v
	}
	return ""
}

var semver = regexp.MustCompile(`^\d+\.\d+\.\d+([-+].*)?$`)

func made(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// ruleID names the rule of a finding.
func (f Finding) ruleID() string {
	if f.Vendor == "" {
		return strings.ToLower(cmp.Or(string(f.Evidence), "unread"))
	}
	return f.Vendor + "/" + f.Restriction
}
