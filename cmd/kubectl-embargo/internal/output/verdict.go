package output

import (
	"fmt"
	"strings"

	"embargo.dev/internal/display"
	"embargo.dev/policies/v1alpha1"
)

// verdict is the page's first sentence.
type verdict struct {
	Class, Title, Text string
}

// verdict says what the result comes to. Where something was not read, nobody should
// take what was found for all there is.
func (r *Result) verdict() verdict {
	v := verdict{Class: "clean", Title: "No image of a restricted vendor found", Text: r.sentence()}
	switch action := strongest(r.Findings); {
	case r.unread():
		v.Class, v.Title = "warn", "Unknown: nothing could be read"
	case len(r.Findings) == 0 && len(r.Errors) > 0:
		v.Class, v.Title = "warn", "Nothing found in what could be read"
	case len(r.Findings) == 0:
	case r.live():
		v.Class, v.Title = strings.ToLower(string(action)), r.running()
	case action == v1alpha1.ActionDeny:
		v.Class, v.Title = "deny", r.images(action)+" would be refused"
	case action == v1alpha1.ActionWarn:
		v.Class, v.Title = "warn", "Nothing is refused; "+r.images(action)+" would be warned about"
	default:
		v.Class, v.Title = "audit", "Nothing is refused; "+r.images(action)+" would be noted"
	}
	return v
}

// images counts the images with findings of an action.
func (r *Result) images(action v1alpha1.Action) string {
	fields := map[Image]bool{}
	for _, f := range r.Findings {
		if f.Action == action {
			fields[f.imageField()] = true
		}
	}
	return display.Count(len(fields), "image")
}

// running counts what runs.
func (r *Result) running() string {
	carrying, unread := map[Image]bool{}, map[Image]bool{}
	vendors := map[string]bool{}
	for _, f := range r.Findings {
		if f.Vendor == "" {
			unread[f.workload()] = true
			continue
		}
		carrying[f.workload()] = true
		vendors[f.Vendor] = true
	}
	if len(carrying) == 0 {
		return display.Count(len(unread), "workload") + " with images that can't be read"
	}
	return fmt.Sprintf("%s with images of %s", display.Count(len(carrying), "workload"), display.Count(len(vendors), "restricted vendor"))
}

// workload is the object of a finding.
func (f Finding) workload() Image {
	return Image{Cluster: f.Cluster, APIVersion: f.APIVersion, Kind: f.Kind, Namespace: f.Namespace, Name: f.Name}
}
