package policies

import (
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/workload"
)

// precedents are the images that were there before a request: in the object as
// it is, and in the controller owner that it is made from. They are read when
// the first image needs them, which for clean requests is never.
type precedents struct {
	request *Request
	set     *RuleSet
	read    bool
	old     []precedent
	carried []precedent
}

// precedent is an image that was there before.
type precedent struct {
	image

	undone imageref.Reference
}

func (p *precedents) load() {
	if p.read {
		return
	}
	p.read = true
	if p.request.Old != nil {
		p.old = p.readAll(p.request.Old.Images)
	}
	p.carried = p.readAll(p.request.Carried)
}

func (p *precedents) readAll(fields []workload.Image) []precedent {
	images := make([]precedent, 0, len(fields))
	for _, field := range fields {
		img := precedent{image: readImage(field, p.request.isCustom())}
		if img.problem == "" {
			img.undone = p.set.undo(img.reference)
		}
		images = append(images, img)
	}
	return images
}

// undo returns the reference with mirrors undone.
func (rs *RuleSet) undo(ref imageref.Reference) imageref.Reference {
	if forms := rs.mirrors.Undo(ref); len(forms) > 0 {
		return forms[len(forms)-1]
	}
	return ref
}

// useOf decides what the request does with the vendor's image.
func (p *precedents) useOf(img image, rec *recognition, v *vendor) Use {
	if p.request.AssumeUse != "" {
		return p.request.AssumeUse
	}
	if p.request.Trusted && p.request.Operation == Create && p.request.Object.Controller != nil {
		return UseContinue
	}
	p.load()
	undone := rec.undone()
	for _, before := range [][]precedent{p.old, p.carried} {
		for i := range before {
			if before[i].problem == "" && same(before[i].undone, undone) {
				return UseContinue
			}
		}
	}
	for i := range p.old {
		if p.updates(&p.old[i], img, undone, v) {
			return UseUpdate
		}
	}
	return UseIntroduce
}

// same reports whether the reference is still the one before: equal, or with a
// digest added to the unchanged tag.
func same(before, now imageref.Reference) bool {
	if before == now {
		return true
	}
	return before.Host == now.Host && before.Path == now.Path &&
		before.Tag != "" && before.Tag == now.Tag && before.Digest == ""
}

// updates reports whether the image takes the place of another tag or digest of
// the same repository, under the same name in the same template. What is only
// suspected to be the vendor's is no precedent.
func (p *precedents) updates(before *precedent, img image, undone imageref.Reference, v *vendor) bool {
	if before.problem != "" || before.undone.Host != undone.Host || before.undone.Path != undone.Path {
		return false
	}
	if !img.replaces(before.image) {
		return false
	}
	rec := p.set.recognise(before.reference)
	found, ok := rec.evidenceOf(v, nil)
	return ok && found.confirmed()
}

// replaces reports whether the image stands where another one stood: under the same name
// in the same template or, where it is in no list, in the same field.
func (i image) replaces(before image) bool {
	if i.List == "" && i.Name == "" {
		return before.Field == i.Field
	}
	return before.Template == i.Template && before.Name == i.Name && i.Name != "" && before.inVolume() == i.inVolume()
}

// inVolume tells an image volume from a container: their names are apart.
func (i image) inVolume() bool { return i.List == "volumes" }

// useOfUnread decides the use of an image that can't be read: it continues where
// the very same text was there before.
func (p *precedents) useOfUnread(img image) Use {
	if p.request.AssumeUse != "" {
		return p.request.AssumeUse
	}
	p.load()
	for _, before := range [][]precedent{p.old, p.carried} {
		for i := range before {
			if before[i].problem == img.problem && before[i].Value == img.Value && before[i].Unreadable == img.Unreadable {
				return UseContinue
			}
		}
	}
	return UseIntroduce
}
