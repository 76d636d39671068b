// Package forecast says what becomes of what runs: each coming transition, and which
// workloads it newly affects.
package forecast
