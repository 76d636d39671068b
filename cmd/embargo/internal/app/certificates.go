package app

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/types"

	"embargo.dev/webhook/certificates"
)

// certificateSource is a Server with the way in which it gets its certificate.
type certificateSource interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	CABundle() []byte
	Changed() <-chan struct{}
	Check(*http.Request) error
}

func (c *controller) certify(context.Context) error {
	o := c.options
	if o.Webhook.CertDir != "" {
		files, err := certificates.NewFiles(o.Webhook.CertDir)
		if err != nil {
			return err
		}
		c.certificates = files
		return c.mgr.Add(files)
	}
	var extra []string
	if o.Webhook.URL != "" {
		u, err := url.Parse(o.Webhook.URL)
		if err != nil {
			return err
		}
		extra = []string{u.Hostname()}
	}
	managed, err := certificates.NewManaged(c.mgr, certificates.Options{
		Secret:     types.NamespacedName{Namespace: o.Namespace, Name: o.Webhook.Secret},
		Service:    o.Webhook.Service.Name,
		ExtraHosts: extra,
	})
	c.certificates = managed
	return err
}
