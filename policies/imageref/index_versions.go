package imageref

// versions has the patterns that end at one repository, by the tag or digest that
// they ask for.
type versions struct {
	anyVersion []int
	tags       map[string][]int
	tagGlobs   globIndex[*[]int]
	digests    map[string][]digestEnd
}

// digestEnd is a pattern that asks for a digest, and maybe for a tag beside it.
type digestEnd struct {
	pattern  Pattern
	position int
}

func (v *versions) add(p Pattern, position int) {
	switch {
	case p.digest != "":
		if v.digests == nil {
			v.digests = map[string][]digestEnd{}
		}
		v.digests[p.digest] = append(v.digests[p.digest], digestEnd{p, position})
	case p.tag == nil:
		v.anyVersion = append(v.anyVersion, position)
	case p.tag.wild():
		positions := v.tagGlobs.at(*p.tag, func() *[]int { return &[]int{} })
		*positions = append(*positions, position)
	default:
		if v.tags == nil {
			v.tags = map[string][]int{}
		}
		v.tags[p.tag.literal] = append(v.tags[p.tag.literal], position)
	}
}

// visit visits the patterns that the reference's tag and digest fit.
func (v *versions) visit(r Reference, visit func(int)) {
	for _, position := range v.anyVersion {
		visit(position)
	}
	for _, end := range v.digests[r.Digest] {
		if end.pattern.matchVersion(r) {
			visit(end.position)
		}
	}
	if r.Tag == "" {
		return
	}
	for _, position := range v.tags[r.Tag] {
		visit(position)
	}
	v.tagGlobs.match(r.Tag, func(positions *[]int) {
		for _, position := range *positions {
			visit(position)
		}
	})
}
