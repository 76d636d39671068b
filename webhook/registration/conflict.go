package registration

import (
	"fmt"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// takeOverAbsent is how long another installation's configuration must be gone before
// this one writes its own. If somebody deletes the configuration, the installation that
// has it writes it again long before; if that one is uninstalled, nobody does.
const takeOverAbsent = 10 * time.Second

// standBack says why this installation must not write, "" where it may: another one has the
// configuration, or had it until a moment ago. There can be only one: two that wrote it in turns
// would have the API server compile it ten times a second. There is none where current is nil. A
// configuration that this leader has written before is this installation's, whatever somebody
// made of it.
func (r *Registrar) standBack(current *admissionv1.ValidatingWebhookConfiguration) (reason string) {
	if r.written != nil {
		return ""
	}
	now := r.options.Clock()
	if current != nil {
		holder, held := heldByOther(current, r.options.Installation, r.options.Endpoint)
		r.holder, r.absentSince = holder, time.Time{}
		if !held {
			return ""
		}
		return fmt.Sprintf("%s has the webhook configuration; uninstall one of the two installations", holder)
	}
	if r.holder == "" {
		return ""
	}
	if r.absentSince.IsZero() {
		r.absentSince = now
	}
	if takeOver := r.absentSince.Add(takeOverAbsent); now.Before(takeOver) {
		return fmt.Sprintf("%s had the webhook configuration until a moment ago; this installation writes its own at %s",
			r.holder, takeOver.UTC().Format(time.RFC3339))
	}
	r.holder = ""
	return ""
}

// heldByOther says which other installation has a configuration. Kubernetes deletes a
// configuration within seconds of its owner, so one that is there has a live owner, which
// needn't be read. An owner of another name with this installation's own endpoint is what
// an earlier version called it.
func heldByOther(current *admissionv1.ValidatingWebhookConfiguration, installation string, own Endpoint) (holder string, held bool) {
	for _, o := range current.OwnerReferences {
		if o.Kind != "ClusterRole" {
			continue
		}
		if o.Name == installation {
			return "", false
		}
		holder = o.Name
	}
	if holder == "" || len(current.Webhooks) == 0 {
		return "", false
	}
	endpoint := current.Webhooks[0].ClientConfig
	if own.is(endpoint) {
		return "", false
	}
	return fmt.Sprintf("the installation of ClusterRole %q, which serves at %s,", holder, describeEndpoint(endpoint)), true
}

// is reports whether a configuration leads to the endpoint.
func (e Endpoint) is(c admissionv1.WebhookClientConfig) bool {
	if c.Service != nil {
		return e.URL == "" && c.Service.Namespace == e.Namespace && c.Service.Name == e.Service
	}
	return e.URL != "" && c.URL != nil && strings.HasPrefix(*c.URL, e.URL+"/")
}

func describeEndpoint(c admissionv1.WebhookClientConfig) string {
	switch {
	case c.Service != nil:
		return fmt.Sprintf("Service %s/%s", c.Service.Namespace, c.Service.Name)
	case c.URL != nil:
		return *c.URL
	default:
		return "no endpoint"
	}
}
