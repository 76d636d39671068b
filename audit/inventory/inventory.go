package inventory

import (
	"time"
	"unique"

	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/policies/workload"
)

// Object is an object that is there. Nothing of it is to be changed from outside.
type Object struct {
	Kind      *Kind
	Namespace *Namespace
	Name      string
	UID       types.UID
	Body      *Body
	Created   time.Time
	// Changed is when the object was seen to come to carry what it does; zero where
	// it did already when it was first listed.
	Changed  time.Time
	Deleting bool
	Dormant  bool
	Pod      bool
	Ended    bool

	owner      unique.Handle[Owner]
	node       unique.Handle[string]
	generation uint32
}

// Owner returns the controller owner; false where there is none.
func (o *Object) Owner() (Owner, bool) {
	owner := o.owner.Value()
	return owner, owner.UID != ""
}

// Node is the node that a mirror Pod's file is on; "" for others.
func (o *Object) Node() string { return o.node.Value() }

// Namespace is a namespace with its suspects. The one named "" has the objects that are
// in none.
type Namespace struct {
	Name     string
	Suspects map[types.UID]*Object

	objects int
}

// Inventory is what the cluster runs.
type Inventory struct {
	objects    map[types.UID]*Object
	namespaces map[string]*Namespace
	bodies     bodies
	aliases    *aliases
	dirty      map[*Namespace]bool
	gone       map[types.UID]Owner // of objects that were there
	suspicious func(*Body, *workload.Image) bool
	verdicts   map[text]bool
}

// text is an image as far as it bears on suspicion.
type text struct {
	value, unreadable string
	custom            bool
}

// New returns an Inventory of nothing, in which nothing is suspicious yet.
func New() *Inventory {
	return &Inventory{
		objects: map[types.UID]*Object{}, namespaces: map[string]*Namespace{}, bodies: bodies{}, aliases: newAliases(),
		dirty: map[*Namespace]bool{}, gone: map[types.UID]Owner{}, verdicts: map[text]bool{},
		suspicious: func(*Body, *workload.Image) bool { return false },
	}
}

// Len returns how many objects are there.
func (inv *Inventory) Len() int { return len(inv.objects) }

// Namespace returns a namespace by its name, nil where nothing is in it.
func (inv *Inventory) Namespace(name string) *Namespace { return inv.namespaces[name] }

// Objects calls a function with every object until it returns false.
func (inv *Inventory) Objects(each func(*Object) bool) {
	for _, o := range inv.objects {
		if !each(o) {
			return
		}
	}
}

// PutChange takes an object that was seen to change.
func (inv *Inventory) PutChange(kind *Kind, s *Seen, now time.Time) {
	var generation uint32
	if o := inv.objects[s.UID]; o != nil {
		generation = o.generation
	}
	inv.put(kind, s, generation, now)
}

// Put takes an object as the listing of such a number has it.
func (inv *Inventory) Put(kind *Kind, s *Seen, listing uint32) {
	inv.put(kind, s, listing, time.Time{})
}

func (inv *Inventory) put(kind *Kind, s *Seen, generation uint32, now time.Time) {
	body, isNew := inv.bodies.take(newBody(kind.GroupKind(), s.Images, s.Pod))
	if isNew {
		body.suspect = inv.isSuspect(body)
	}
	o := inv.objects[s.UID]
	if o == nil {
		o = &Object{Kind: kind, UID: s.UID, Name: s.Name, Namespace: inv.namespace(s.Namespace), Created: s.Created, Changed: now}
		inv.objects[s.UID] = o
		o.Namespace.objects++
		inv.touch(o)
	} else {
		if o.Body != body && !now.IsZero() && !o.Body.sameImages(body) {
			o.Changed = now
		}
		inv.touch(o)
		inv.bodies.release(o.Body)
	}
	o.Body, o.generation = body, generation
	o.Deleting, o.Dormant, o.Pod = s.Deleting, s.Dormant, s.Pod != nil
	o.owner = unique.Make(s.Owner)
	node := ""
	if s.Pod != nil {
		o.Ended, node = s.Pod.Ended, s.Pod.Node
	}
	o.node = unique.Make(node)
	inv.sort(o)
	inv.touch(o)
}

func (inv *Inventory) namespace(name string) *Namespace {
	ns := inv.namespaces[name]
	if ns == nil {
		ns = &Namespace{Name: name, Suspects: map[types.UID]*Object{}}
		inv.namespaces[name] = ns
	}
	return ns
}

// sort puts the object among the suspects of its namespace, or takes it out.
func (inv *Inventory) sort(o *Object) {
	if o.Body.suspect {
		o.Namespace.Suspects[o.UID] = o
	} else {
		delete(o.Namespace.Suspects, o.UID)
	}
}

// touch marks the object's namespace where the object may bear on what is found there:
// it is a suspect, or it may own one.
func (inv *Inventory) touch(o *Object) {
	if o.Body != nil && o.Body.suspect || !o.Pod && len(o.Namespace.Suspects) > 0 {
		inv.dirty[o.Namespace] = true
	}
}

// Remove takes an object out.
func (inv *Inventory) Remove(uid types.UID) {
	o := inv.objects[uid]
	if o == nil {
		return
	}
	inv.touch(o)
	inv.bury(o)
	delete(inv.objects, uid)
	delete(o.Namespace.Suspects, uid)
	inv.bodies.release(o.Body)
	if o.Namespace.objects--; o.Namespace.objects == 0 {
		delete(inv.namespaces, o.Namespace.Name)
	}
}

// Sweep takes out what a listing of a kind didn't have; everything
// of the kind where that is 0.
func (inv *Inventory) Sweep(kind *Kind, listing uint32) {
	for uid, o := range inv.objects {
		if o.Kind == kind && (o.generation != listing || listing == 0) {
			inv.Remove(uid)
		}
	}
}

// sameImages reports whether two bodies differ in what runs at most.
func (b *Body) sameImages(other *Body) bool {
	if len(b.Places) != len(other.Places) {
		return false
	}
	for i := range b.Places {
		if b.Places[i].Value != other.Places[i].Value || b.Places[i].Field != other.Places[i].Field {
			return false
		}
	}
	return true
}
