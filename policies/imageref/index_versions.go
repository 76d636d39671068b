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
	visitAll := func(positions []int) {
		for _, position := range positions {
			visit(position)
		}
	}
	visitAll(v.anyVersion)
	v.visitDigests(r, visit)
	switch {
	case r.OpenTag: // it costs what there is to compare with, at this repository alone
		for _, positions := range v.tags {
			visitAll(positions)
		}
		v.tagGlobs.each(func(positions *[]int) { visitAll(*positions) })
	case r.Tag != "":
		visitAll(v.tags[r.Tag])
		v.tagGlobs.match(r.Tag, func(positions *[]int) { visitAll(*positions) })
	}
}

// visitDigests visits the patterns that ask for a digest.
func (v *versions) visitDigests(r Reference, visit func(int)) {
	visitFitting := func(ends []digestEnd) {
		for _, end := range ends {
			if end.pattern.matchVersion(r) {
				visit(end.position)
			}
		}
	}
	if !r.OpenDigest {
		visitFitting(v.digests[r.Digest])
		return
	}
	for _, ends := range v.digests {
		visitFitting(ends)
	}
}
