package webhook

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
)

// Imports decides whether a report that somebody restores from a backup is stored. The API
// server sends it only what users create who have the verb import on reports: it checks that
// itself, in the entry's match condition. Imports keeps a restored report from looking like
// one of the audit's own.
type Imports struct {
	// Live reads namespaces: the cache lacks one that was restored an instant ago.
	Live client.Reader
	// Self is the user name of this controller, which writes reports of its own.
	Self string
	// Clock tells which instants lie in the future.
	Clock func() time.Time
}

var _ admission.Handler = &Imports{}

// futureTolerance is how far the clock of the cluster that was backed up may have been ahead.
const futureTolerance = time.Minute

// Handle decides the request.
func (i *Imports) Handle(ctx context.Context, review admission.Request) admission.Response {
	if review.Operation != admissionv1.Create || kindOf(&review.AdmissionRequest) != kindNamed("VendorReport") {
		return errored(http.StatusBadRequest, fmt.Errorf("request: want the creation of a VendorReport, not %s of %q", review.Operation, kindOf(&review.AdmissionRequest)))
	}
	if review.UserInfo.Username == i.Self {
		return admission.Allowed("")
	}
	report, _, err := decodeBoth[partialReport](&review.AdmissionRequest)
	if err != nil {
		return errored(http.StatusBadRequest, err)
	}
	uid, err := i.namespaceUID(ctx, review.Namespace)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	if errs := i.validate(report, uid); len(errs) > 0 {
		return refused(&review.AdmissionRequest, apierrors.NewInvalid(kindOf(&review.AdmissionRequest), report.Metadata.Name, bounded(errs)))
	}
	logf.FromContext(ctx).Info("a report is imported", "report", review.Namespace+"/"+report.Metadata.Name, "user", review.UserInfo.Username, "evaluatedAt", report.EvaluatedAt.UTC())
	response := admission.Allowed("")
	response.AuditAnnotations = map[string]string{annotationWriter: review.UserInfo.Username}
	return response
}

func (i *Imports) namespaceUID(ctx context.Context, name string) (types.UID, error) {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := i.Live.Get(ctx, client.ObjectKey{Name: name}, ns); err != nil {
		return "", fmt.Errorf("reading the namespace %q: %w", name, err)
	}
	return ns.UID, nil
}

// validate says what of a report can't come from a backup.
func (i *Imports) validate(report *partialReport, namespace types.UID) field.ErrorList {
	var errs field.ErrorList
	if want := cmp.Or(report.Vendor, v1alpha1.UnreadableImages); report.Metadata.Name != want {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), report.Metadata.Name, fmt.Sprintf("must be the report's vendor, %q", want)))
	}
	if report.NamespaceUID == string(namespace) {
		errs = append(errs, field.Invalid(field.NewPath("namespaceUID"), report.NamespaceUID,
			"only the audit writes the UID that the namespace has now; remove the field to import the report"))
	}
	future := i.Clock().Add(futureTolerance)
	notAfter := func(path *field.Path, t *metav1.Time) {
		if t != nil && t.After(future) {
			errs = append(errs, field.Invalid(path, t.UTC().Format(time.RFC3339), "must not lie in the future"))
		}
	}
	notAfter(field.NewPath("evaluatedAt"), &report.EvaluatedAt)
	for n := range report.Findings {
		notAfter(field.NewPath("findings").Index(n).Child("since"), report.Findings[n].Since)
	}
	for n := range report.Resolved {
		notAfter(field.NewPath("resolved").Index(n).Child("since"), report.Resolved[n].Since)
		notAfter(field.NewPath("resolved").Index(n).Child("resolvedAt"), report.Resolved[n].ResolvedAt)
	}
	return errs
}
