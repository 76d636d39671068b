package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/webhook/exemption"
)

// maxNamedSteps is how many policies and waivers a refusal names.
const maxNamedSteps = 3

// namespace refuses changes of labels by which a namespace would exempt itself. The API
// server sends only those whose user lacks a right, so the labels alone decide. To ask
// about the rights of the user that a review names would tell a forger about anybody's.
func (k *Kinds) namespace(ctx context.Context, review *admissionv1.AdmissionRequest) admission.Response {
	now, before, err := decodeBoth[partialNamespace](review)
	if err != nil {
		return errored(http.StatusBadRequest, err)
	}
	if now.Metadata.DeletionTimestamp != nil {
		return admission.Allowed("")
	}
	there, err := k.rules(ctx)
	if err != nil {
		return errored(http.StatusInternalServerError, err)
	}
	rules := exemption.NewRules(there.policies.Items, there.waivers.Items, k.Clock())
	steps := rules.Steps(now.object(), before.object())
	if len(steps) == 0 {
		return admission.Allowed("")
	}
	reason := describeSteps(steps, review.UserInfo.Username)
	switch {
	case !rules.ChecksNames():
		reason += fmt.Sprintf("; the cluster has too many policies and waivers to check rights by name, so it takes the verb %q on all %s and all %s",
			exemption.Verb, qualified(exemption.Policies), qualified(exemption.Waivers))
	case len(steps) > exemption.MaxNamed:
		reason += "; " + rightsOnAll(steps)
	}
	return refused(review, apierrors.NewForbidden(resource(review), review.Name, errors.New(reason)))
}

// describeSteps says for each policy left and each waiver entered which right it takes.
func describeSteps(steps []exemption.Step, user string) string {
	var lines []string
	for i, s := range steps {
		if i == maxNamedSteps {
			lines = append(lines, fmt.Sprintf("and %d more", len(steps)-i))
			break
		}
		verb := "enter the VendorWaiver"
		if s.Resource == exemption.Policies {
			verb = "leave the VendorPolicy"
		}
		lines = append(lines, fmt.Sprintf("the namespace would %s %s, for which %q needs the verb %q on %s",
			verb, s.Name, user, exemption.Verb, qualified(s.Resource)))
	}
	return strings.Join(lines, "; ")
}

// rightsOnAll says how to go on where so many rules are concerned that the API server
// can't check rights on each by its name.
func rightsOnAll(steps []exemption.Step) string {
	counts := map[string]int{}
	for _, s := range steps {
		counts[s.Resource]++
	}
	var resources []string
	for _, name := range []string{exemption.Policies, exemption.Waivers} {
		if counts[name] > 1 {
			resources = append(resources, "all "+qualified(name))
		}
	}
	return fmt.Sprintf("the API server checks rights by name on at most %d of them in a request; change fewer labels at a time, or use the verb %q on %s",
		exemption.MaxNamed, exemption.Verb, strings.Join(resources, " and "))
}

// qualified names one of Embargo's resources with its group.
func qualified(resource string) string { return resource + "." + v1alpha1.GroupVersion.Group }
