package lint

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/prefilter"
	"embargo.dev/policies/v1alpha1"
)

// imageOddities says what is odd about how a vendor's images are recognised.
func imageOddities(path *field.Path, images *v1alpha1.VendorImages) []Problem {
	if len(images.Repositories)+len(images.Digests) == 0 {
		return []Problem{warning(path, "there is no pattern and no digest: no image will be found to be this vendor's")}
	}
	var problems []Problem
	for i, r := range images.Repositories {
		at := path.Child("repositories").Index(i).Child("pattern")
		switch {
		case tooBroad(r.Pattern):
			problems = append(problems, warning(at, "%q has no text that every spelling of its images must contain: "+
				"with it no prefilter can be derived, and every request goes to the webhook", r.Pattern))
		case excludedBy(images.Exclude, r.Pattern) >= 0:
			j := excludedBy(images.Exclude, r.Pattern)
			problems = append(problems, warning(at, "everything that %q matches is left out by exclude[%d], %q", r.Pattern, j, images.Exclude[j]))
		case coveredBy(images.Repositories, i) >= 0:
			j := coveredBy(images.Repositories, i)
			problems = append(problems, warning(at, "everything that %q matches, repositories[%d], %q, matches with the same confidence or more",
				r.Pattern, j, images.Repositories[j].Pattern))
		}
	}
	for i, text := range images.Exclude {
		if !strings.Contains(text, "*") && readable(images.Repositories) && !slices.ContainsFunc(images.Repositories, func(r v1alpha1.RepositoryPattern) bool { return covers(r.Pattern, text) }) {
			problems = append(problems, warning(path.Child("exclude").Index(i), "no pattern matches %q, so there is nothing to leave out", text))
		}
	}
	return problems
}

// readable reports whether all patterns are; those that aren't are told as errors.
func readable(repositories []v1alpha1.RepositoryPattern) bool {
	return !slices.ContainsFunc(repositories, func(r v1alpha1.RepositoryPattern) bool {
		_, err := imageref.ParsePattern(r.Pattern)
		return err != nil
	})
}

// tooBroad reports whether the prefilter has nothing to search for.
func tooBroad(pattern string) bool {
	rules, problems := policies.Compile(policies.Source{Vendors: []v1alpha1.RestrictedVendor{{
		Spec: v1alpha1.RestrictedVendorSpec{Images: v1alpha1.VendorImages{Repositories: []v1alpha1.RepositoryPattern{{Pattern: pattern}}}},
	}}})
	if len(problems) > 0 {
		return false // told as an error
	}
	_, err := prefilter.New(rules)
	var broad *prefilter.TooBroad
	return errors.As(err, &broad)
}

// excludedBy returns which exclusion covers a pattern, -1 for none.
func excludedBy(exclude []string, pattern string) int {
	return slices.IndexFunc(exclude, func(e string) bool { return covers(e, pattern) })
}

// coveredBy returns which other pattern makes one needless, -1 for none.
func coveredBy(repositories []v1alpha1.RepositoryPattern, i int) int {
	own := repositories[i]
	return slices.IndexFunc(repositories, func(r v1alpha1.RepositoryPattern) bool {
		weaker := r.Confidence == v1alpha1.ConfidenceSuspected && own.Confidence != v1alpha1.ConfidenceSuspected
		return r.Pattern != own.Pattern && !weaker && covers(r.Pattern, own.Pattern)
	})
}

// samples are texts that a wildcard stands for, of which no pattern knows.
var samples = []map[string]string{
	{"**/": "sample-a.example/", "/**": "", "*": "sample-b"},
	{"**/": "sample-c.example/sample-d/", "/**": "/sample-e", "*": "s"},
	{"**/": "sample-f.example/", "/**": "/sample-g/sample-h", "*": "sample.i"},
}

// covers reports whether a pattern matches all images that another one matches. It
// tries samples, which wildcards make different enough.
func covers(wider, narrower string) bool {
	pattern, err := imageref.ParsePattern(wider)
	if err != nil {
		return false
	}
	tried := 0
	for image := range sampled(narrower) {
		if !pattern.Match(image) {
			return false
		}
		tried++
	}
	return tried > 0
}

// sampled yields images that a pattern matches.
func sampled(text string) iter.Seq[imageref.Reference] {
	return func(yield func(imageref.Reference) bool) {
		pattern, err := imageref.ParsePattern(text)
		if err != nil {
			return
		}
		for _, s := range samples {
			image := text
			if rest, ok := strings.CutPrefix(image, "**/"); ok {
				image = s["**/"] + rest
			}
			image = strings.ReplaceAll(image, "/**", s["/**"])
			image = strings.ReplaceAll(image, "*", s["*"])
			if reference, err := imageref.Parse(image); err == nil && pattern.Match(reference) && !yield(reference) {
				return
			}
		}
	}
}
