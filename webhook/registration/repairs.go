package registration

import (
	"bytes"
	"encoding/pem"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// changedByOthers reports whether somebody else changed the configuration since this
// leader wrote it, or deleted it, where current is nil. Only the leader writes it, but
// that other replicas add their CAs: so more CAs than were written are no change.
func changedByOthers(current, written *admissionv1.ValidatingWebhookConfiguration) bool {
	if written == nil {
		return false // an earlier leader wrote it, and knew what
	}
	if current == nil {
		return true
	}
	same := current.DeepCopy()
	for i := range same.Webhooks {
		if i >= len(written.Webhooks) {
			return true
		}
		bundle := written.Webhooks[i].ClientConfig.CABundle
		if !holdsAll(same.Webhooks[i].ClientConfig.CABundle, bundle) {
			return true
		}
		same.Webhooks[i].ClientConfig.CABundle = bundle
	}
	return !upToDate(same, written)
}

// holdsAll reports whether a bundle has all CAs of another.
func holdsAll(bundle, other []byte) bool {
	has := blocks(bundle)
	for _, ca := range blocks(other) {
		if !slices.ContainsFunc(has, func(b *pem.Block) bool { return bytes.Equal(b.Bytes, ca.Bytes) }) {
			return false
		}
	}
	return true
}
