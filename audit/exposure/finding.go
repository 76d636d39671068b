package exposure

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/audit/inventory"
	"embargo.dev/internal/display"
	"embargo.dev/internal/escape"
	"embargo.dev/policies"
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/v1alpha1"
)

// Finding is one image of one workload × one restriction.
type Finding struct {
	policies.Finding

	Workload Workload
	Carrier  string // KIND/NAME of what carries the image, "" for the workload itself
	// AlsoNamed is by which other name, or running digest, the image was recognised.
	AlsoNamed string
	Admission v1alpha1.AdmissionSight

	Pods    int      // that carry it and have not ended
	Node    string   // that runs the workload from a file
	Digests []string // that run, sorted
	// ConfigDigests are those of Digests that are of an image's configuration.
	ConfigDigests []string
	// UpdatedFrom is the digest that ran before another came under the same tag.
	UpdatedFrom string

	RestartAction v1alpha1.Action // of a Pod made in place of one that runs
	RestartOwner  string          // KIND/NAME of the owner that doesn't carry the image

	Since           time.Time
	SinceFrom       v1alpha1.SinceFrom
	Imported        bool // Since comes from an imported report
	ArrivedAfterBan bool
	ArrivalWaiver   string

	// Known says that it was found before.
	Known bool
	// News is what is to be told of it.
	News []News
	// ToldDaysBefore is the fewest days before the next phase at which that was told.
	ToldDaysBefore int32
}

// manifestDigests returns the running digests of manifests and indexes. Those of
// configurations differ from one platform to the other, so they don't tell that a tag moved.
func (f *Finding) manifestDigests() []string { return ManifestDigests(f.Digests, f.ConfigDigests) }

// ManifestDigests returns the digests that are of no configuration.
func ManifestDigests(digests, ofConfigs []string) []string {
	if len(ofConfigs) == 0 {
		return digests
	}
	return slices.DeleteFunc(slices.Clone(digests), func(d string) bool { return slices.Contains(ofConfigs, d) })
}

// Look is what was found when a namespace was looked at.
type Look struct {
	Namespace string
	RuleSet   string // digest
	Now       time.Time
	Findings  []*Finding // in the order of reports
	// Unseen are kinds that can't be read. That none of their objects has findings
	// means nothing.
	Unseen map[schema.GroupKind]bool
}

// Workload names a workload.
type Workload struct {
	APIVersion, Kind, Namespace, Name string
	UID                               types.UID
	Cluster                           bool // it is in no namespace
}

// GroupKind returns the workload's group and kind.
func (w Workload) GroupKind() schema.GroupKind {
	return inventory.Owner{APIVersion: w.APIVersion, Kind: w.Kind}.GroupKind()
}

// workloadOf names a workload. An object may say anything of an owner that nobody watches. A
// report that holds more than it may can't be written, and one with some characters can't be
// read.
func workloadOf(top inventory.Top) Workload {
	return Workload{
		APIVersion: name(top.APIVersion, maxVersion), Kind: name(top.Kind, maxKind), Namespace: top.Namespace,
		Name: name(top.Name, maxName), UID: types.UID(name(string(top.UID), maxUID)),
		Cluster: top.Object != nil && top.Namespace == "",
	}
}

// Key tells findings of a namespace apart, from audit to audit.
type Key struct {
	Workload    types.UID // or, for the mirror of a static Pod, which comes and goes, its name
	Container   string
	Image       string // however it is written, as references are compared
	Vendor      string
	Restriction string
}

// Key returns what tells the finding from others.
func (f *Finding) Key() Key {
	k := Key{
		Workload: f.Workload.UID, Container: name(f.Container, maxName), Image: Identity(f.Image, f.Canonical, f.Upstream, f.AlsoNamed),
		Vendor: f.Vendor, Restriction: f.Restriction,
	}
	if f.Node != "" {
		k.Workload = types.UID("static/" + f.Workload.Name)
	}
	return k
}

// Named returns the key with the workload's kind and name in place of its UID, which is
// another one once the workload is restored from a backup.
func (k Key) Named(w Workload) Key {
	k.Workload = types.UID(w.GroupKind().String() + "/" + w.Name)
	return k
}

// Identity returns what stays of an image when it is only written otherwise: the canonical
// reference with mirrors undone. Where it is recognised by another name, that is whose
// reference the finding has.
func Identity(image, canonical, upstream, alsoNamed string) string {
	if alsoNamed != "" {
		upstream, canonical = "", ""
		if ref, err := imageref.Parse(image); err == nil {
			canonical = ref.String()
		}
	}
	return Shown(cmp.Or(upstream, canonical, image))
}

// unpinned returns the key of the same image before a digest was added to its tag; false
// where it doesn't have both.
func (k Key) unpinned() (Key, bool) {
	tagged, _, pinned := strings.Cut(k.Image, "@")
	k.Image = tagged
	return k, pinned && strings.Contains(tagged[strings.LastIndex(tagged, "/")+1:], ":")
}

const (
	// maxShown is how much of an image's text is kept: more than any reference can have.
	maxShown = 1024
	// maxName is how long a name may be; in custom resources nobody bounds those of
	// containers.
	maxName = 253
	// What a report may hold of an owner.
	maxVersion, maxKind, maxUID = 317, 63, 128
)

// called names an object, or an owner, as KIND/NAME.
func called(kind, object string) string { return name(kind, maxKind) + "/" + name(object, maxName) }

// name returns a name as reports show it: with the codes of characters that YAML or XML
// can't hold, and not too long.
func name(text string, most int) string { return display.Prefix(escape.Text(text), most) }

// Shown returns an image's text, or a field's path, as reports show it: not too long, and
// where it has characters that YAML or XML can't hold, in quotes and with their codes.
func Shown(text string) string {
	if escape.Text(text) == text {
		return display.Prefix(text, maxShown)
	}
	return Quoted(text, maxShown)
}

// Quoted returns as much of a text in quotes as fits into so many bytes.
func Quoted(text string, most int) string { return `"` + name(text, most-2) + `"` }

// News is a change that people are told of by an event.
type News int

// What there can be to tell.
const (
	Restricted News = iota
	PhaseBegan
	PhaseNear
)
