// Package registration tells the API server which requests to send to Embargo: it
// writes the ValidatingWebhookConfiguration, on the leader, once the webhook can
// serve; mends what others change; and leaves it alone once the installation is gone.
package registration
