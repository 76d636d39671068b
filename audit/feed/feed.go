// Package feed tells of all objects of a kind, and then of every change, in little
// memory: it lists page by page and keeps nothing. An informer would hold the whole list
// at once, and a copy of it for good.
package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Taker takes what a feed tells. A feed calls it from one goroutine.
type Taker interface {
	// Page takes a page of a listing; all pages of one have the same number.
	Page(objects []runtime.Object, listing uint32)
	// Listed says that a listing is complete: what it didn't have isn't there.
	Listed(listing uint32)
	// Change takes a change.
	Change(kind watch.EventType, object runtime.Object)
	// Unread says that the kind couldn't be listed, or (nil) that it could again.
	Unread(err error)
}

// Feed follows one kind.
type Feed struct {
	name   string
	source cache.ListerWatcherWithContext
	taker  Taker
	page   int64
}

// New returns a feed of what the source lists and watches, page by page of so many
// objects. The name is for the log.
func New(name string, source cache.ListerWatcherWithContext, page int64, taker Taker) *Feed {
	return &Feed{name: name, source: source, page: page, taker: taker}
}

const (
	// A watch ends after some minutes by itself, and is taken up where it ended.
	watchFor = 5 * time.Minute
	// listTimeout bounds the request for one page.
	listTimeout = time.Minute
)

// newBackoff is how long it takes until what failed is tried again.
func newBackoff() wait.Backoff {
	return wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8, Cap: time.Minute}
}

// Run lists and watches until the context ends. What fails is tried again; after a watch
// was lost for good, everything is listed anew.
func (f *Feed) Run(ctx context.Context) {
	backoff := newBackoff()
	for listing := uint32(1); ctx.Err() == nil; listing++ {
		began := time.Now()
		version, err := f.list(ctx, listing)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !apierrors.IsResourceExpired(err):
			f.taker.Unread(err)
		case err == nil:
			logf.FromContext(ctx).V(1).Info("listed", "resource", f.name, "in", time.Since(began).String())
			backoff = newBackoff()
			f.taker.Unread(nil)
			f.taker.Listed(listing)
			err = f.follow(ctx, version)
		}
		if err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).V(1).Info("listing again", "resource", f.name, "reason", err.Error())
			sleep(ctx, backoff.Step())
		}
	}
}

// Unreadable reports whether trying again soon is of little use: there are no rights, or
// nothing of that kind is served.
func Unreadable(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err)
}

// list takes all pages and returns the version to watch from. Where a listing takes so
// long that its continuation expires, it begins anew.
func (f *Feed) list(ctx context.Context, listing uint32) (string, error) {
	options := metav1.ListOptions{Limit: f.page}
	for {
		version, next, err := f.listPage(ctx, options, listing)
		if err != nil || next == "" {
			return version, err
		}
		options.Continue = next
	}
}

func (f *Feed) listPage(ctx context.Context, options metav1.ListOptions, listing uint32) (version, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := f.source.ListWithContext(ctx, options)
	if err != nil {
		return "", "", fmt.Errorf("listing %s: %w", f.name, err)
	}
	about, err := meta.ListAccessor(list)
	if err != nil {
		return "", "", fmt.Errorf("listing %s: %w", f.name, err)
	}
	objects := make([]runtime.Object, 0, meta.LenList(list))
	err = meta.EachListItem(list, func(o runtime.Object) error {
		objects = append(objects, o)
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("listing %s: %w", f.name, err)
	}
	f.taker.Page(objects, listing)
	return about.GetResourceVersion(), about.GetContinue(), nil
}

// follow watches from a version until the watch can't be taken up again.
func (f *Feed) follow(ctx context.Context, version string) error {
	backoff := newBackoff()
	for {
		began := time.Now()
		err := f.watch(ctx, &version)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil || passing(err):
			if time.Since(began) > time.Minute {
				backoff = newBackoff()
			}
			if err != nil || time.Since(began) < time.Second {
				sleep(ctx, backoff.Step())
			}
		default:
			return err
		}
	}
}

// passing reports whether the same watch may go on later: the API server restarts, is
// out of reach or has too much to do.
func passing(err error) bool {
	return utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err) || utilnet.IsProbableEOF(err) ||
		utilnet.IsTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) ||
		apierrors.IsInternalError(err) || apierrors.IsTimeout(err)
}

var errEvent = errors.New("the API server sent an event of an unknown type")

// watch takes changes until the watch ends, and keeps the version up to date.
func (f *Feed) watch(ctx context.Context, version *string) error {
	seconds := int64(watchFor.Seconds() * (1 + rand.Float64())) // it spreads load
	events, err := f.source.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: *version, AllowWatchBookmarks: true, TimeoutSeconds: &seconds})
	if err != nil {
		return fmt.Errorf("watching %s: %w", f.name, err)
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		switch event.Type {
		case watch.Added, watch.Modified, watch.Deleted:
			f.taker.Change(event.Type, event.Object)
		case watch.Bookmark:
		case watch.Error:
			return fmt.Errorf("watching %s: %w", f.name, apierrors.FromObject(event.Object))
		default:
			return fmt.Errorf("watching %s: %w: %s", f.name, errEvent, event.Type)
		}
		about, err := meta.Accessor(event.Object)
		if err != nil {
			return fmt.Errorf("watching %s: %w", f.name, err)
		}
		*version = about.GetResourceVersion()
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
