// Package scenario reads the scenarios of policies/testdata/scenarios: what a
// request is, when it is made and under which rules, in files that a compliance
// officer can review. The evaluator, the webhook and the command line are all
// tested on the same ones.
package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// Scenario is one request under given rules at a given instant.
type Scenario struct {
	Path string `json:"-"` // of the file, without .yaml

	Shows       string                      `json:"shows"`       // the sentence of the semantics that would be broken
	At          string                      `json:"at"`          // RFC 3339 instant, or a date
	Vendors     []v1alpha1.RestrictedVendor `json:"vendors"`     // default: the built-in list
	Policies    []v1alpha1.VendorPolicy     `json:"policies"`    // default: the default policy
	Waivers     []v1alpha1.VendorWaiver     `json:"waivers"`     // default: none
	User        User                        `json:"user"`        // default: a person named jane
	Operation   policies.Operation          `json:"operation"`   // default: UPDATE where there is an old object, else CREATE
	Subresource string                      `json:"subresource"` // default: the object itself
	Namespace   Namespace                   `json:"namespace"`   // default: the object's, without labels of its own
	Object      unstructured.Unstructured   `json:"object"`
	Old         *unstructured.Unstructured  `json:"old"`
	Owner       *unstructured.Unstructured  `json:"owner"`     // the object's controller owner, as it is in the cluster
	Revisions   []unstructured.Unstructured `json:"revisions"` // that owner's ControllerRevisions
	Trusted     bool                        `json:"trusted"`   // the user is one of the configured trusted controllers
}

// User is who makes the request.
type User struct {
	Name   string   `json:"name"`
	Groups []string `json:"groups"`
}

// Namespace is what is known of the object's namespace.
type Namespace struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	Unknown bool              `json:"unknown"`
}

// Load reads every scenario below a folder, in the order of their paths.
func Load(dir string) ([]*Scenario, error) {
	var scenarios []*Scenario
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".golden.yaml") {
			return err
		}
		s, err := read(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		scenarios = append(scenarios, s)
		return nil
	})
	return scenarios, err
}

func read(path string) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Scenario{}
	if err := yaml.UnmarshalStrict(data, s); err != nil {
		return nil, err
	}
	s.Path = strings.TrimSuffix(path, ".yaml")
	if s.Vendors == nil {
		if s.Vendors, err = catalog.Vendors(); err != nil {
			return nil, err
		}
	}
	if s.Policies == nil {
		s.Policies = []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}
	}
	s.User.Name = cmp.Or(s.User.Name, "jane")
	s.Namespace.Name = cmp.Or(s.Namespace.Name, s.Object.GetNamespace())
	if s.Operation == "" {
		s.Operation = policies.Create
		if s.Old != nil {
			s.Operation = policies.Update
		}
	}
	return s, nil
}

// RuleSet compiles the scenario's rules.
func (s *Scenario) RuleSet() (*policies.RuleSet, []policies.Problem) {
	return policies.Compile(policies.Source{Vendors: s.Vendors, Policies: s.Policies, Waivers: s.Waivers})
}

// Instant is when the scenario is.
func (s *Scenario) Instant() (policies.Instant, error) { return policies.ParseInstant(s.At) }

// Request is the scenario as the evaluator takes it.
func (s *Scenario) Request() (policies.Request, error) {
	kind := s.Kind()
	object, err := decode(kind, &s.Object)
	if err != nil {
		return policies.Request{}, err
	}
	request := policies.Request{
		Operation:   s.Operation,
		Subresource: s.Subresource,
		Kind:        kind,
		Namespace:   policies.Namespace{Name: s.Namespace.Name, Labels: s.Namespace.Labels, Known: !s.Namespace.Unknown},
		User:        policies.User{Name: s.User.Name, Groups: s.User.Groups},
		Object:      object,
		Trusted:     s.Trusted,
	}
	if s.Old != nil {
		old, err := decode(kind, s.Old)
		if err != nil {
			return policies.Request{}, err
		}
		request.Old = &old
	}
	for _, carrier := range s.Carriers() {
		owner, err := decode(carrier.GroupVersionKind().GroupKind(), carrier)
		if err != nil {
			return policies.Request{}, err
		}
		request.Carried = append(request.Carried, owner.Images...)
	}
	return request, nil
}

// Kind is the kind of the scenario's object.
func (s *Scenario) Kind() schema.GroupKind { return s.Object.GroupVersionKind().GroupKind() }

// Carriers are the objects in the cluster that a child may take its images from.
func (s *Scenario) Carriers() []*unstructured.Unstructured {
	var carriers []*unstructured.Unstructured
	if s.Owner != nil {
		carriers = append(carriers, s.Owner)
	}
	for i := range s.Revisions {
		carriers = append(carriers, &s.Revisions[i])
	}
	return carriers
}

func decode(kind schema.GroupKind, object *unstructured.Unstructured) (workload.Object, error) {
	raw, err := json.Marshal(object.Object)
	if err != nil {
		return workload.Object{}, err
	}
	return workload.Decode(kind, raw)
}
