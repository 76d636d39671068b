// Package server serves the webhook over TLS. It takes the place of controller-runtime's
// server of webhooks, whose http.Server and listener nobody can reach, to bound what
// callers may hold: connections, requests, time and header bytes.
package server
