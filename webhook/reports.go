package webhook

import (
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/json"

	"embargo.dev/policies"
)

// report lets nobody but the controller write reports: they are evidence. Reports that
// are restored from a backup by users who may do that don't come here (see Imports). Kubernetes' own
// controllers may change what belongs to the metadata: the garbage collector takes owners
// and finalizers away, for which a deletion waits.
func (k *Kinds) report(review *admissionv1.AdmissionRequest) admission.Response {
	user := policies.User{Name: review.UserInfo.Username, Groups: review.UserInfo.Groups}
	if user.Name == k.Self {
		return admission.Allowed("")
	}
	if policies.BuiltinController(user) && review.Operation == admissionv1.Update {
		same, err := sameContent(review)
		if err != nil {
			return errored(http.StatusBadRequest, err)
		}
		if same {
			return admission.Allowed("")
		}
	}
	return refused(review, apierrors.NewForbidden(resource(review), review.Name,
		fmt.Errorf("reports are written by Embargo's audit alone (%s); to restore one from a backup, have the verb import on vendorreports.embargo.dev and annotate it with embargo.dev/import", k.Self)))
}

// sameContent reports whether an update leaves all but the metadata as it is.
func sameContent(review *admissionv1.AdmissionRequest) (bool, error) {
	var contents [2]map[string]any
	for i, raw := range [][]byte{review.OldObject.Raw, review.Object.Raw} {
		if err := json.UnmarshalCaseSensitivePreserveInts(raw, &contents[i]); err != nil {
			return false, fmt.Errorf("reading the report: %w", err)
		}
		delete(contents[i], "metadata")
	}
	return equality.Semantic.DeepEqual(contents[0], contents[1]), nil
}
