package inventory

import (
	"slices"
	"strings"

	"embargo.dev/policies/imageref"
	"embargo.dev/policies/workload"
)

// maxVerdicts bounds what is remembered of images that may be long gone.
const maxVerdicts = 100_000

// Judge takes a new way to tell which images may be anybody's at all, and goes over
// everything with it. All namespaces are to be looked at again.
func (inv *Inventory) Judge(suspicious func(*Body, *workload.Image) bool) {
	inv.suspicious = suspicious
	clear(inv.verdicts)
	for _, b := range inv.bodies {
		b.suspect = inv.isSuspect(b)
	}
	for _, o := range inv.objects {
		inv.sort(o)
	}
	inv.MarkAll()
}

// isSuspect reports whether an image of the body, or what runs of it by any of its
// names, is suspicious.
func (inv *Inventory) isSuspect(b *Body) bool {
	for i := range b.Places {
		p := &b.Places[i]
		if inv.suspects(b, &p.Image) {
			return true
		}
		for _, name := range inv.OtherNames(p) {
			other := p.Image
			other.Value = name
			if inv.suspects(b, &other) {
				return true
			}
		}
	}
	return false
}

func (inv *Inventory) suspects(b *Body, img *workload.Image) bool {
	t := text{img.Value, img.Unreadable, !workload.Builtin(b.Kind)}
	verdict, known := inv.verdicts[t]
	if !known {
		if len(inv.verdicts) >= maxVerdicts {
			clear(inv.verdicts)
		}
		verdict = inv.suspicious(b, img)
		inv.verdicts[t] = verdict
	}
	return verdict
}

// OtherNames returns what runs of an image, by the names that its object doesn't say:
// the image with each digest that it is known by, then what else the runtime and the
// nodes call it. What is no name, as runtimes have some for images without one, is left
// out.
func (inv *Inventory) OtherNames(p *Place) []string {
	if p.Unreadable != "" || p.Digest == "" && p.Config == "" && len(p.Names) == 0 {
		return nil
	}
	return slices.DeleteFunc(inv.allNames(p), func(name string) bool {
		_, err := imageref.Parse(name)
		return err != nil || name == p.Value
	})
}

func (inv *Inventory) allNames(p *Place) []string {
	var names []string
	known, digests := inv.aliases.of(p.Digest)
	if len(digests) == 0 && p.Digest != "" {
		digests = []string{p.Digest}
	}
	if p.Config != "" {
		digests = append(digests, p.Config)
	}
	tagged, _, _ := strings.Cut(p.Value, "@")
	for _, digest := range digests {
		names = append(names, tagged+"@"+digest)
	}
	for _, name := range slices.Concat(p.Names, known) {
		if !strings.Contains(name, "@") && p.Digest != "" {
			name += "@" + p.Digest
		}
		names = append(names, name)
	}
	return names
}

// PutNode takes the images that a node holds, each as the list of its names.
func (inv *Inventory) PutNode(node string, images [][]string) {
	changed := inv.aliases.set(node, images)
	if len(changed) == 0 {
		return
	}
	affected := map[*Body]bool{}
	for _, b := range inv.bodies {
		if b.runsAny(changed) {
			b.suspect = inv.isSuspect(b)
			affected[b] = true
		}
	}
	if len(affected) == 0 {
		return
	}
	for _, o := range inv.objects {
		if affected[o.Body] {
			_, before := o.Namespace.Suspects[o.UID]
			inv.sort(o)
			if before || o.Body.suspect {
				inv.dirty[o.Namespace] = true
			}
		}
	}
}

// Mark makes a namespace one to be looked at.
func (inv *Inventory) Mark(name string) {
	if ns := inv.namespaces[name]; ns != nil {
		inv.dirty[ns] = true
	}
}

// MarkAll makes all namespaces ones to be looked at.
func (inv *Inventory) MarkAll() {
	for _, ns := range inv.namespaces {
		inv.dirty[ns] = true
	}
}

// Dirty returns the names of the namespaces that are to be looked at, and forgets them.
func (inv *Inventory) Dirty() []string {
	names := make([]string, 0, len(inv.dirty))
	for ns := range inv.dirty {
		names = append(names, ns.Name)
	}
	clear(inv.dirty)
	return names
}

// HasDirty reports whether a namespace is to be looked at.
func (inv *Inventory) HasDirty() bool { return len(inv.dirty) > 0 }
