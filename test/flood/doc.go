// Package flood floods the true controller from another address, under the chart's memory
// limit, while a real API server has workloads to ask about. It needs root, for a network
// namespace and control groups.
//
//	go test ./test/flood                              # a few seconds each
//	make test-flood                                   # a minute each, beside 10,000 Pods, and compares latencies
package flood
