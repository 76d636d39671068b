package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// ClientCA demands client certificates of a CA whose certificates are in a file. It follows
// changes of the file, as of a mounted ConfigMap.
type ClientCA struct {
	path     string
	subjects []string
	base     *tls.Config
	current  atomic.Pointer[loadedCA]
}

type loadedCA struct {
	bundle   []byte
	settings *tls.Config
}

// pollInterval is how often the file is read. Mounted volumes change by way of symbolic
// links, which file system events report unreliably.
const pollInterval = 5 * time.Second

// NewClientCA reads the file once. With subjects, a certificate's common name must be one
// of them.
func NewClientCA(path string, subjects []string, base *tls.Config) (*ClientCA, error) {
	c := &ClientCA{path: path, subjects: subjects, base: base}
	return c, c.load()
}

// Config returns TLS settings for a listener that always uses the current file.
func (c *ClientCA) Config() *tls.Config {
	settings := c.base.Clone()
	settings.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return c.current.Load().settings, nil
	}
	return settings
}

// NeedLeaderElection says that every replica serves.
func (c *ClientCA) NeedLeaderElection() bool { return false }

// Start follows the file until the context ends. If a change can't be used, the previous
// content stays in use.
func (c *ClientCA) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := c.load(); err != nil {
			logf.FromContext(ctx).Error(err, "the CA of client certificates can't be used; the previous one stays in use", "path", c.path)
		}
	}, pollInterval)
	return nil
}

func (c *ClientCA) load() error {
	bundle, err := os.ReadFile(c.path)
	if err != nil {
		return fmt.Errorf("webhook.clientCA: %w", err)
	}
	if loaded := c.current.Load(); loaded != nil && bytes.Equal(loaded.bundle, bundle) {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bundle) {
		return fmt.Errorf("webhook.clientCA: %s has no certificate; want a bundle in PEM", c.path)
	}
	settings := c.base.Clone()
	settings.NextProtos = []string{"h2", "http/1.1"}
	settings.ClientCAs, settings.ClientAuth = pool, tls.RequireAndVerifyClientCert
	settings.SessionTicketsDisabled = true // a session must not outlive its CA
	settings.VerifyConnection = c.verifySubject
	c.current.Store(&loadedCA{bundle, settings})
	return nil
}

func (c *ClientCA) verifySubject(state tls.ConnectionState) error {
	if len(c.subjects) == 0 {
		return nil
	}
	if name := state.PeerCertificates[0].Subject.CommonName; !slices.Contains(c.subjects, name) {
		return fmt.Errorf("the client certificate is for %q, which webhook.clientSubjects doesn't name", name)
	}
	return nil
}
