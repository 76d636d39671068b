package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	registrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"embargo.dev/policies/v1alpha1"
	"embargo.dev/test/controlplane"
	"embargo.dev/test/installation"
)

// The namespaces in which a Pod is created: each with another webhook.
const (
	none    = "none"
	noop    = "noop"
	embargo = "embargo"
)

// bench is a control plane with both webhooks.
type bench struct {
	dir     string
	plane   *controlplane.ControlPlane
	replica *installation.Replica
	noop    *exec.Cmd
	url     string // of the webhook that does nothing
	client  client.Client
	caller  *caller
}

func setUp(ctx context.Context) (*bench, error) {
	b := &bench{}
	for _, step := range []func(context.Context) error{b.startPlane, b.startEmbargo, b.startNoop, b.makeNamespaces} {
		if err := step(ctx); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *bench) startPlane(ctx context.Context) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "embargo-bench-"); err != nil {
		return err
	}
	b.plane, err = controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(b.dir, "cluster"), Progress: os.Stderr,
		APIServerFlags: []string{"--max-requests-inflight=0", "--enable-priority-and-fairness=false"},
	})
	if err != nil {
		return err
	}
	if b.client, err = client.New(b.plane.Config(), client.Options{}); err != nil {
		return err
	}
	return v1alpha1.AddToScheme(b.client.Scheme())
}

func (b *bench) startEmbargo(ctx context.Context) error {
	root, err := installation.Root(ctx)
	if err != nil {
		return err
	}
	binary, err := installation.Build(ctx, root, b.dir)
	if err != nil {
		return err
	}
	if err := installation.Prepare(ctx, b.plane, root); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(b.dir, "embargo.log"))
	if err != nil {
		return err
	}
	if b.replica, err = installation.Start(b.plane, binary, "", log); err != nil {
		return err
	}
	if err := b.replica.AwaitReady(ctx); err != nil {
		return err
	}
	return installation.AwaitRegistered(ctx, b.plane)
}

// startNoop runs the webhook that does nothing, with Embargo's certificate.
func (b *bench) startNoop(ctx context.Context) error {
	var secret corev1.SecretList
	if err := b.client.List(ctx, &secret, client.InNamespace("embargo-system")); err != nil {
		return err
	}
	if len(secret.Items) != 1 {
		return fmt.Errorf("%d Secrets in embargo-system, want that of the certificate alone", len(secret.Items))
	}
	for _, name := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if err := os.WriteFile(filepath.Join(b.dir, name), secret.Items[0].Data[name], 0o600); err != nil {
			return err
		}
	}
	binary := filepath.Join(b.dir, "noop")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "embargo.dev/test/bench/noop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the webhook that does nothing: %w\n%s", err, output)
	}
	ports, err := controlplane.FreePorts(1)
	if err != nil {
		return err
	}
	b.url = "https://localhost:" + strconv.Itoa(ports[0]) + "/validate"
	b.noop = exec.Command(binary, "-port", strconv.Itoa(ports[0]), "-cert-dir", b.dir)
	b.noop.Stderr = os.Stderr
	return b.noop.Start()
}

func (b *bench) makeNamespaces(ctx context.Context) error {
	for _, name := range []string{none, noop, embargo} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := b.client.Create(ctx, ns); err != nil {
			return err
		}
	}
	return nil
}

// perVendor is how many patterns a RestrictedVendor may have.
const perVendor = 250

// restrict brings the restricted list to so many patterns, and puts copies of Embargo's
// configuration and of one for the webhook that does nothing in place, each for its
// namespace alone: so all cases are measured on one API server, at the same time. It
// returns the size of the prefilter.
func (b *bench) restrict(ctx context.Context, patterns int) (string, error) {
	if err := b.pause(ctx, false); err != nil {
		return "", err
	}
	for first := 0; first < patterns; first += perVendor {
		if err := b.applyVendor(ctx, first, min(patterns-first, perVendor)); err != nil {
			return "", err
		}
	}
	filter, err := b.awaitEnforced(ctx)
	if err != nil {
		return "", err
	}
	var own registrationv1.ValidatingWebhookConfiguration
	if err := b.client.Get(ctx, client.ObjectKey{Name: "embargo"}, &own); err != nil {
		return "", err
	}
	if err := b.pause(ctx, true); err != nil {
		return "", err
	}
	b.caller = newCaller(own.Webhooks[0].ClientConfig.CABundle)
	return filter, b.copyFor(ctx, own.Webhooks)
}

func (b *bench) applyVendor(ctx context.Context, first, n int) error {
	v := &v1alpha1.RestrictedVendor{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("bench-", first)}}
	v.Spec = v1alpha1.RestrictedVendorSpec{DisplayName: "Bench", Restrictions: []v1alpha1.Restriction{{
		Name: "bench", Authority: "the bench", Audience: "us-persons", TimeZone: "UTC",
		Citations: []v1alpha1.Citation{{Title: "Bench", URL: "https://example.com/bench"}},
		Schedule:  []v1alpha1.Phase{{Phase: "p", Effective: "2020-01-01", Introduce: v1alpha1.ActionWarn, Update: v1alpha1.ActionWarn, Continue: v1alpha1.ActionWarn}},
	}}}
	for i := first; i < first+n; i++ {
		// Names as vendors have them: no two share more than their beginning.
		v.Spec.Images.Repositories = append(v.Spec.Images.Repositories, v1alpha1.RepositoryPattern{Pattern: fmt.Sprintf("registry.example.com/vendor-%d-%d/**", i, i*7919)})
	}
	err := b.client.Create(ctx, v)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// awaitEnforced waits until the configuration covers the whole list.
func (b *bench) awaitEnforced(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		var p v1alpha1.VendorPolicy
		if err := b.client.Get(ctx, client.ObjectKey{Name: "default"}, &p); err != nil {
			return "", err
		}
		var vendors v1alpha1.RestrictedVendorList
		if err := b.client.List(ctx, &vendors); err != nil {
			return "", err
		}
		enforced := 0
		for i := range vendors.Items {
			for _, c := range vendors.Items[i].Status.Conditions {
				if c.Type == "Enforced" && c.Status == metav1.ConditionTrue {
					enforced++
				}
			}
		}
		if enforced == len(vendors.Items) {
			for _, c := range p.Status.Conditions {
				if c.Type == "Prefiltered" {
					return c.Message, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%d of %d vendors are enforced: %w", enforced, len(vendors.Items), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// pause takes Embargo's own configuration away, or lets it come back.
func (b *bench) pause(ctx context.Context, paused bool) error {
	change := "embargo.dev/paused-until-"
	if paused {
		change = "embargo.dev/paused-until=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	}
	if output, err := b.plane.Kubectl(ctx, "annotate", "--overwrite", "namespace", "embargo-system", change).CombinedOutput(); err != nil {
		return fmt.Errorf("pausing: %w\n%s", err, output)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := b.client.Get(ctx, client.ObjectKey{Name: "embargo"}, &registrationv1.ValidatingWebhookConfiguration{})
		if err == nil != paused || apierrors.IsNotFound(err) == paused {
			if client.IgnoreNotFound(err) == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// copyFor writes the copies.
func (b *bench) copyFor(ctx context.Context, entries []registrationv1.ValidatingWebhook) error {
	for _, name := range []string{noop, embargo} {
		configuration := &registrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "bench-" + name}}
		if err := client.IgnoreNotFound(b.client.Delete(ctx, configuration.DeepCopy())); err != nil {
			return err
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name, "introductions.") && (name == noop || !strings.HasPrefix(e.Name, "continuations.")) {
				continue
			}
			e.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: name}}
			if name == noop {
				e.MatchConditions, e.ClientConfig.URL = nil, &b.url
			}
			configuration.Webhooks = append(configuration.Webhooks, e)
		}
		if err := b.client.Create(ctx, configuration); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) tearDown() error {
	var errs []error
	if b.noop != nil && b.noop.Process != nil {
		errs = append(errs, b.noop.Process.Kill())
		_ = b.noop.Wait() // it was killed
	}
	if b.replica != nil {
		errs = append(errs, b.replica.Stop())
	}
	if b.plane != nil {
		errs = append(errs, b.plane.Stop())
	}
	if b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}
