// Command admission measures, in one run, what admission costs: the creation of a Pod
// with no webhook, with one that does nothing, and with Embargo; and the processor time
// of a review beside that of the webhook that does nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// settings say how much is measured.
type settings struct {
	patterns []int
	rounds   int // of creations, a case
	reviews  int // a batch
	batches  int
	json     string
}

func main() {
	var s settings
	counts := flag.String("patterns", "10,1000,10000", "how many patterns the restricted list has beside the built-in ones")
	flag.IntVar(&s.rounds, "rounds", 1500, "creations of each kind, at each concurrency")
	flag.IntVar(&s.reviews, "reviews", 3000, "reviews in a batch")
	flag.IntVar(&s.batches, "batches", 5, "batches for each webhook")
	flag.StringVar(&s.json, "json", "", "file for the results in JSON")
	flag.Parse()
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			fmt.Fprintf(os.Stderr, "-patterns: %q is no number\n", text)
			os.Exit(2)
		}
		s.patterns = append(s.patterns, n)
	}
	logf.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// result is all that was measured.
type result struct {
	Date      time.Time  `json:"date"`
	Creations []creation `json:"creations"`
	Reviews   []review   `json:"reviews"`
}

func run(ctx context.Context, s settings) (err error) {
	b, err := setUp(ctx)
	defer func() { err = errors.Join(err, b.tearDown()) }()
	if err != nil {
		return err
	}
	r := result{Date: time.Now().UTC()}
	slices.Sort(s.patterns)
	for _, n := range s.patterns {
		fmt.Fprintf(os.Stderr, "measuring with %d patterns\n", n)
		filter, err := b.restrict(ctx, n)
		if err != nil {
			return err
		}
		for _, concurrency := range []int{1, 4} {
			creations, err := b.creations(ctx, n, concurrency, s.rounds)
			if err != nil {
				return err
			}
			creations.Prefilter = filter
			r.Creations = append(r.Creations, *creations)
		}
		reviews, err := b.reviews(ctx, n, s.batches, s.reviews)
		if err != nil {
			return err
		}
		r.Reviews = append(r.Reviews, reviews...)
	}
	r.print(os.Stdout)
	if s.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.json, append(text, '\n'), 0o600)
}
