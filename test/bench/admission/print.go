package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// print writes what was measured, and how it stands beside the cases to compare with.
func (r *result) print(w io.Writer) {
	fmt.Fprintln(w, "Creation of a Pod with two containers, milliseconds (dry run, interleaved, one API server)")
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, "PATTERNS\tAT A TIME\tCASE\tP50\tP99\tP50 BESIDE NO WEBHOOK")
	for _, c := range r.Creations {
		alone := c.Cases[cases[0].name].P50
		for _, k := range cases {
			l := c.Cases[k.name]
			fmt.Fprintf(tabs, "%d\t%d\t%s\t%.2f\t%.2f\t%+.2f (%+.0f %%)\n", c.Patterns, c.Concurrency, k.name, l.P50, l.P99, l.P50-alone, 100*(l.P50-alone)/alone)
		}
	}
	_ = tabs.Flush() // what can't be written can't be told either
	for _, c := range r.Creations {
		fmt.Fprintf(w, "%d patterns, %d at a time: Embargo was asked about %.0f clean Pods; %s\n", c.Patterns, c.Concurrency, c.Asked, c.Prefilter)
	}
	fmt.Fprintln(w, "\nA review of a suspect, processor time of the webhook's process")
	fmt.Fprintln(tabs, "PATTERNS\tWEBHOOK\tCPU µs\tP50 ms\tCPU BESIDE NO-OP")
	noops := map[int]float64{}
	for _, v := range r.Reviews {
		if v.Webhook == "no-op" {
			noops[v.Patterns] = v.CPU
		}
		fmt.Fprintf(tabs, "%d\t%s\t%.0f\t%.2f\t× %.2f\n", v.Patterns, v.Webhook, v.CPU, v.P50, v.CPU/noops[v.Patterns])
	}
	_ = tabs.Flush()
}
