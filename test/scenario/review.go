package scenario

import (
	"cmp"
	"encoding/json"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Review is the scenario as the API server would send it.
func (s *Scenario) Review() (*admissionv1.AdmissionReview, error) {
	gvk := s.Object.GroupVersionKind()
	resource, _ := meta.UnsafeGuessKindToResource(gvk)
	request := &admissionv1.AdmissionRequest{
		UID:         types.UID("scenario"),
		Kind:        metav1.GroupVersionKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind},
		Resource:    metav1.GroupVersionResource{Group: resource.Group, Version: resource.Version, Resource: resource.Resource},
		SubResource: s.Subresource,
		Name:        s.Object.GetName(),
		Namespace:   s.Namespace.Name,
		Operation:   admissionv1.Operation(s.Operation),
		UserInfo:    authenticationv1.UserInfo{Username: s.User.Name, Groups: s.User.Groups},
	}
	for from, to := range map[*unstructured.Unstructured]*runtime.RawExtension{&s.Object: &request.Object, s.Old: &request.OldObject} {
		if from == nil || from == &s.Object && s.Operation == "DELETE" {
			continue
		}
		raw, err := json.Marshal(from.Object)
		if err != nil {
			return nil, err
		}
		to.Raw = raw
	}
	review := &admissionv1.AdmissionReview{Request: request}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	return review, nil
}

// Surroundings are the objects that the cluster has beside the request's: the
// namespace, where it is known, and the carriers.
func (s *Scenario) Surroundings() []*unstructured.Unstructured {
	objects := s.Carriers()
	if s.Namespace.Unknown {
		return objects
	}
	ns := &unstructured.Unstructured{}
	ns.SetAPIVersion("v1")
	ns.SetKind("Namespace")
	ns.SetName(cmp.Or(s.Namespace.Name, "default"))
	ns.SetLabels(s.Namespace.Labels)
	return append(objects, ns)
}

// Name is the scenario's name below the folder it was loaded from.
func (s *Scenario) Name(dir string) string { return strings.TrimPrefix(s.Path, dir+"/") }
