package registration

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// trusted adds to the CA of this replica the one before it, which the configuration has
// and a replica that was started since doesn't know: others may still serve what that
// signed.
func (r *Registrar) trusted(ctx context.Context, own []byte) ([]byte, error) {
	var current admissionv1.ValidatingWebhookConfiguration
	if err := r.live.Get(ctx, client.ObjectKey{Name: Name}, &current); err != nil {
		return own, client.IgnoreNotFound(err)
	}
	if len(current.Webhooks) == 0 {
		return own, nil
	}
	return withFormer(own, current.Webhooks[0].ClientConfig.CABundle, r.options.Clock()), nil
}

// withFormer returns the bundle with one CA of the other that it lacks, unless it has
// several already.
func withFormer(bundle, other []byte, now time.Time) []byte {
	has := blocks(bundle)
	if len(has) != 1 {
		return bundle
	}
	for _, block := range blocks(other) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err == nil && now.Before(certificate.NotAfter) && !bytes.Equal(block.Bytes, has[0].Bytes) {
			return append(bytes.Clone(bundle), pem.EncodeToMemory(block)...)
		}
	}
	return bundle
}

func blocks(bundle []byte) []*pem.Block {
	var found []*pem.Block
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return found
		}
		found = append(found, block)
	}
}
