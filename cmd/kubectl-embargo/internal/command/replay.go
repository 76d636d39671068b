package command

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/json"

	"embargo.dev/cmd/kubectl-embargo/internal/manifest"
	"embargo.dev/cmd/kubectl-embargo/internal/output"
	"embargo.dev/policies"
	"embargo.dev/webhook"
)

// replay evaluates a recorded AdmissionReview as the webhook would. What the webhook
// would read from the cluster comes from the context.
func (c *check) replay(ctx context.Context) {
	around := c.readSurroundings(ctx, c.files)
	reader := &manifest.Reader{Stdin: c.In, Broken: c.broken}
	before := len(c.errors)
	read := 0
	reader.Read(ctx, []string{c.review}, func(d *manifest.Document) {
		read++
		if err := c.replayDocument(d, around); err != nil {
			c.broken(&manifest.Error{File: d.File, Line: d.Line, Err: err})
		}
	})
	if read == 0 && len(c.errors) == before {
		c.broken(&manifest.Error{File: c.review, Err: errNoRequest})
	}
}

var errNoRequest = errors.New("no AdmissionReview with a request")

func (c *check) replayDocument(d *manifest.Document, around *surroundings) error {
	raw, err := stdjson.Marshal(d.Value)
	if err != nil {
		return err
	}
	var review admissionv1.AdmissionReview
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &review); err != nil {
		return err
	}
	if review.Kind != "AdmissionReview" || review.Request == nil {
		return errNoRequest
	}
	if err := c.recordedInstant(&review); err != nil {
		return err
	}
	request, err := webhook.NewRequest(review.Request)
	if err != nil {
		return err
	}
	request.Namespace = around.namespaces.lookup(request.Namespace.Name)
	if disputed := around.namespaces.disputed[request.Namespace.Name]; disputed != "" && c.set.SelectsByLabels() {
		c.noteUnknown(request.Namespace.Name, &around.namespaces)
	}
	if request.Object.Controller != nil {
		request.Carried = around.carried(request.Object.Controller.UID)
	}
	c.result.Summary.Objects++
	c.result.Summary.Images += len(request.Object.Images)
	gvk := review.Request.Kind
	one := candidate{places: map[string]manifest.Place{}, identity: output.Finding{
		File: d.File, APIVersion: strings.TrimPrefix(gvk.Group+"/"+gvk.Version, "/"), Kind: gvk.Kind,
		Namespace: review.Request.Namespace, Name: review.Request.Name,
	}}
	for _, img := range request.Object.Images {
		one.places[img.Field] = d.Place("request.object." + img.Field)
	}
	if output.NeedsImages(c.format) {
		c.result.AddImages(one.identity, request.Object.Images)
	}
	c.add(&one, c.set.Evaluate(request, c.instant))
	return nil
}

// recordedInstant takes the instant that the recorded response names, unless another
// was asked for.
func (c *check) recordedInstant(review *admissionv1.AdmissionReview) error {
	if c.asOf != "" || review.Response == nil || review.Response.AuditAnnotations["instant"] == "" {
		return nil
	}
	instant, err := policies.ParseInstant(review.Response.AuditAnnotations["instant"])
	if err != nil {
		return fmt.Errorf("response.auditAnnotations.instant: %w", err)
	}
	c.instant = instant
	c.notice("evaluated as of %s, when it was recorded, not now", instant)
	return nil
}
