package cluster

import (
	"context"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/webhook/registration"
)

// ControllerVersion is the version of the controller that wrote the webhook
// configuration, or says that there is none.
func (c *Cluster) ControllerVersion(ctx context.Context) (string, error) {
	configuration := &metav1.PartialObjectMetadata{}
	configuration.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"))
	err := c.Reader.Get(ctx, client.ObjectKey{Name: registration.Name}, configuration)
	switch {
	case apierrors.IsNotFound(err):
		return "not registered", nil
	case err != nil:
		return "", c.Unread("the webhook configuration", err)
	default:
		return configuration.Annotations[registration.VersionAnnotation], nil
	}
}
