// Package certificates serves the webhook's certificate and tells the CA bundle by
// which the API server knows it: from a Secret that Embargo keeps itself, or from
// files that somebody else keeps.
package certificates

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"embargo.dev/internal/trigger"
)

var errNoCertificate = errors.New("no serving certificate yet")

// changeover is how long the certificate before is served when another CA signed the new
// one: until the API server has been told of that CA. Both are in the bundle meanwhile.
const changeover = 10 * time.Second

// Server holds the certificate in use. The zero Server has none.
type Server struct {
	changeover time.Duration

	mu          sync.RWMutex
	next        *tls.Certificate // to be served after the changeover
	certificate *tls.Certificate
	ca          []byte // PEM
	formerCA    []byte // PEM; still trusted while replicas go over to the new one
	changed     []trigger.Trigger
}

// GetCertificate returns the certificate in use, for a tls.Config.
func (s *Server) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.certificate == nil {
		return nil, errNoCertificate
	}
	return s.certificate, nil
}

// CABundle returns the CA certificates that the API server is to trust, as PEM; nil
// while there is none.
func (s *Server) CABundle() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return bytes.Join([][]byte{s.ca, s.formerCA}, nil)
}

// Check is a readiness check.
func (s *Server) Check(*http.Request) error {
	_, err := s.GetCertificate(nil)
	return err
}

// Changed returns a channel that receives after the certificate or the CA bundle
// changed.
func (s *Server) Changed() <-chan struct{} {
	c := trigger.New()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, c)
	return c
}

// use takes a certificate, its key and its CA into use. A pair that doesn't fit, or
// that the CA didn't sign, is refused, and what was in use stays.
func (s *Server) use(certificate, key, ca []byte) error {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("serving certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return errors.New("the CA bundle holds no certificate")
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates(certificate)}); err != nil {
		return fmt.Errorf("serving certificate: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newCA := !bytes.Equal(s.ca, ca)
	if latest := cmp.Or(s.next, s.certificate); latest != nil && !newCA && bytes.Equal(latest.Certificate[0], pair.Certificate[0]) {
		return nil
	}
	if newCA && s.next == nil {
		s.formerCA = unexpired(s.ca) // of the certificate that is served meanwhile
	}
	s.ca = ca
	s.replace(&pair, newCA)
	for _, c := range s.changed {
		c.Fire()
	}
	return nil
}

// replace serves another certificate: at once, or after the changeover where its CA is
// unknown to the API server yet and the one before still holds.
func (s *Server) replace(pair *tls.Certificate, newCA bool) {
	switch {
	case s.next != nil:
		s.next = pair
	case newCA && s.certificate != nil && s.changeover > 0 && time.Until(s.certificate.Leaf.NotAfter) > s.changeover:
		s.next = pair
		time.AfterFunc(s.changeover, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.serve(s.next)
			s.next = nil
		})
	default:
		s.serve(pair)
	}
}

// serve takes a certificate into use.
func (s *Server) serve(pair *tls.Certificate) {
	s.certificate = pair
	expiry.Set(float64(pair.Leaf.NotAfter.Unix()))
}

func intermediates(chain []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}

// unexpired returns the bundle, or nothing where its first certificate has expired.
func unexpired(bundle []byte) []byte {
	block, _ := pem.Decode(bundle)
	if block == nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || certificate.NotAfter.Before(time.Now()) {
		return nil
	}
	return bundle
}
