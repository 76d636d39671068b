package registration

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mostOthers bounds the CAs in a bundle that its writer doesn't serve by: the one before its
// own, and one that another replica has presented.
const mostOthers = 2

// trusted adds to the CA of this replica those that the configuration has and this replica
// doesn't know: one before it, of a replica that was started since, or one that another
// replica has seen first. Others may serve what they signed.
func (r *Registrar) trusted(ctx context.Context, own []byte) ([]byte, error) {
	var current admissionv1.ValidatingWebhookConfiguration
	if err := r.live.Get(ctx, client.ObjectKey{Name: Name}, &current); err != nil {
		return own, client.IgnoreNotFound(err)
	}
	if len(current.Webhooks) == 0 {
		return own, nil
	}
	return withOthers(own, current.Webhooks[0].ClientConfig.CABundle, r.options.Clock()), nil
}

// withOthers returns the bundle with those CAs of the other that it lacks, the first ones
// where there are many.
func withOthers(bundle, other []byte, now time.Time) []byte {
	for _, ca := range lacking(bundle, other, now, mostOthers) {
		bundle = slices.Concat(bundle, pem.EncodeToMemory(ca))
	}
	return bundle
}

// lacking returns the CAs of the other that hold at an instant and aren't in the bundle, up
// to a number of them.
func lacking(bundle, other []byte, now time.Time, most int) []*pem.Block {
	has := blocks(bundle)
	var found []*pem.Block
	for _, block := range blocks(other) {
		same := func(b *pem.Block) bool { return bytes.Equal(b.Bytes, block.Bytes) }
		certificate, err := x509.ParseCertificate(block.Bytes)
		if len(found) < most && err == nil && now.Before(certificate.NotAfter) && !slices.ContainsFunc(has, same) {
			found = append(found, block)
		}
	}
	return found
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
