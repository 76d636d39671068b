// Package monitoring checks alerts and dashboard with Prometheus' own parser.
package monitoring
