package output

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"embargo.dev/policies/v1alpha1"
)

// printJUnit writes a case for every image that was evaluated: it fails by findings at
// or above --fail-on, is skipped where waivers cover all findings, and passes
// otherwise, weaker findings in its output. What could not be read is an error.
func printJUnit(w io.Writer, r *Result, _ bool) error {
	report := &junitSuites{Name: "embargo"}
	if len(r.Errors)+len(r.Unchecked) > 0 {
		report.add(r.problemSuite())
	}
	suites := map[string]*junitSuite{}
	byImage := r.findingsByImage()
	for _, img := range r.allImages(byImage) {
		name := img.suite()
		suite, ok := suites[name]
		if !ok {
			suite = r.newSuite(name)
			suites[name] = suite
			report.Suites = append(report.Suites, suite)
		}
		suite.add(r.junitCase(img, byImage[img]))
	}
	for _, suite := range suites {
		report.count(suite)
	}
	return report.write(w)
}

// allImages are the images that were evaluated, and those with findings that stand
// elsewhere than in the workload itself, as what was injected into its Pods does.
func (r *Result) allImages(byImage map[Image][]Finding) []Image {
	known := make(map[Image]bool, len(r.Images))
	for _, img := range r.Images {
		known[img] = true
	}
	all := r.Images
	for _, f := range r.Findings {
		if img := f.imageField(); !known[img] && len(byImage[img]) > 0 {
			known[img] = true
			all = append(all, img)
		}
	}
	return all
}

func (r *Result) newSuite(name string) *junitSuite {
	suite := &junitSuite{Name: name, Time: noTime}
	if !r.Made.IsZero() {
		suite.Timestamp = r.Made.UTC().Format("2006-01-02T15:04:05")
	}
	return suite
}

func (r *Result) problemSuite() *junitSuite {
	suite := r.newSuite("input")
	for _, e := range r.Errors {
		text := printable(e.String())
		suite.add(junitCase{Name: text, Classname: "input", Time: noTime, Error: &junitDetail{Type: "Unreadable", Message: text}})
	}
	for _, u := range r.Unchecked {
		text := printable(u.String())
		suite.add(junitCase{Name: text, Classname: "input", Time: noTime, Skipped: &text})
	}
	return suite
}

// findingsByImage returns the findings of each image.
func (r *Result) findingsByImage() map[Image][]Finding {
	by := make(map[Image][]Finding, len(r.Findings))
	for _, f := range r.Findings {
		img := f.imageField()
		by[img] = append(by[img], f)
	}
	return by
}

// imageField is the image field that a finding is about.
func (f Finding) imageField() Image {
	return Image{
		Cluster: f.Cluster, File: f.File, APIVersion: f.APIVersion, Kind: f.Kind, Namespace: f.Namespace, Name: f.Name,
		Container: f.Container, Field: f.Field, Image: f.Image,
	}
}

// suite names the suite of an image.
func (i Image) suite() string {
	if i.File != "" {
		return printable(i.File)
	}
	return printable(fmt.Sprintf("%s/%s", i.Cluster, cmp.Or(i.Namespace, "(cluster-scoped)")))
}

// junitCase is the case of an image. Its name holds the field, so that no two cases of
// an object have the same.
func (r *Result) junitCase(i Image, findings []Finding) junitCase {
	c := junitCase{
		Name:      printable(fmt.Sprintf("%s (%s)", cmp.Or(i.Image, "no image"), i.Field)),
		Classname: printable(fmt.Sprintf("%s/%s/%s", i.Kind, orDash(i.Namespace), orDash(i.Name))),
		Time:      noTime,
	}
	var failing, others []Finding
	waived := len(findings) > 0
	for _, f := range findings {
		waived = waived && f.Waiver != ""
		if r.fails(f.Action) {
			failing = append(failing, f)
		} else {
			others = append(others, f)
		}
	}
	switch {
	case len(failing) > 0:
		c.Failure = &junitDetail{Type: string(strongest(failing)), Message: failing[0].Message, Text: details(failing)}
		c.SystemOut = details(others)
	case waived:
		text := details(others)
		c.Skipped = &text
	default:
		c.SystemOut = details(others)
	}
	return c
}

func strongest(findings []Finding) v1alpha1.Action {
	action := v1alpha1.ActionAllow
	for _, f := range findings {
		action = action.Stronger(f.Action)
	}
	return action
}

// details tells findings in a line each, with their places.
func details(findings []Finding) string {
	var text strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&text, "%s %s/%s", f.Action, orDash(f.Vendor), orDash(f.Restriction))
		if f.File != "" {
			fmt.Fprintf(&text, " at %s:%d:%d", printable(f.File), f.Line, f.Column)
		}
		if f.Since != nil {
			fmt.Fprintf(&text, " since %s", f.Since.UTC().Format(time.DateOnly))
		}
		fmt.Fprintf(&text, ": %s\n", f.Message)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
