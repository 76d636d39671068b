package app

import (
	"crypto/tls"

	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"embargo.dev/cmd/embargo/internal/metricsauth"
	"embargo.dev/webhook/server"
)

// webhookTLS returns the TLS settings of the webhook, and what keeps the CA of client
// certificates up to date; nil where none are demanded.
func (c *controller) webhookTLS() (*tls.Config, *server.ClientCA, error) {
	settings := &tls.Config{}
	if err := c.setTLS(settings); err != nil {
		return nil, nil, err
	}
	o := c.options.Webhook
	if o.ClientCA == "" {
		return settings, nil, nil
	}
	clientCA, err := server.NewClientCA(o.ClientCA, o.ClientSubjects, settings)
	if err != nil {
		return nil, nil, err
	}
	return clientCA.Config(), clientCA, nil
}

// setTLS sets what the webhook and /metrics have in common. The source of certificates is
// known only later, when the manager is there.
func (c *controller) setTLS(settings *tls.Config) (err error) {
	settings.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.certificates.GetCertificate(hello)
	}
	if settings.MinVersion, err = server.MinVersion(c.options.Webhook.TLS.MinVersion); err != nil {
		return err
	}
	settings.CipherSuites, err = server.CipherSuites(c.options.Webhook.TLS.CipherSuites)
	return err
}

// metricsOptions say how /metrics is served.
func (c *controller) metricsOptions() metricsserver.Options {
	o := metricsserver.Options{BindAddress: c.options.Metrics.BindAddress}
	if !c.options.Metrics.Secure {
		return o
	}
	o.SecureServing = true
	o.FilterProvider = metricsauth.Filter
	// The settings are validated already.
	o.TLSOpts = []func(*tls.Config){func(settings *tls.Config) { _ = c.setTLS(settings) }}
	return o
}
