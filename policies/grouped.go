package policies

import "slices"

// grouped are findings of which one sentence tells.
type grouped struct {
	*Finding // the first of them

	places []string
	images []string
}

// group puts together the findings of which one sentence can tell.
func group(findings []*Finding, alike func(a, b *Finding) bool) []grouped {
	var groups []grouped
next:
	for _, f := range findings {
		for i := range groups {
			if alike(groups[i].Finding, f) {
				groups[i].add(f)
				continue next
			}
		}
		groups = append(groups, grouped{Finding: f})
		groups[len(groups)-1].add(f)
	}
	return groups
}

func (g *grouped) add(f *Finding) {
	g.places = append(g.places, f.place())
	if image := quoteImage(f.Image); !slices.Contains(g.images, image) {
		g.images = append(g.images, image)
	}
}

// sameStanding reports whether the same can be said of both findings but for their
// containers and images. What can't be read is told apart by the image.
func (f *Finding) sameStanding(other *Finding) bool {
	return f.Vendor == other.Vendor && f.Restriction == other.Restriction &&
		f.Phase == other.Phase && f.Use == other.Use && f.Action == other.Action && f.Waiver == other.Waiver &&
		f.Confidence == other.Confidence && f.measure.expiredWaiver == other.measure.expiredWaiver &&
		(f.Vendor != "" || f.Image == other.Image && f.measure.reason == other.measure.reason)
}

// sameImage reports whether the findings differ in their containers only.
func (f *Finding) sameImage(other *Finding) bool {
	return f.Image == other.Image && f.sameStanding(other)
}
