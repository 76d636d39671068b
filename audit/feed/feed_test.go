package feed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"embargo.dev/audit/feed"
)

// server serves scripted pages and watches, and then nothing more.
type server struct {
	mu      sync.Mutex
	lists   []any // *corev1.PodList or error
	watches []any // *watch.FakeWatcher or error
	asked   []string
}

func (s *server) ListWithContext(_ context.Context, o metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf("list %d %q", o.Limit, o.Continue))
	next := any(errors.New("no more lists"))
	if len(s.lists) > 0 {
		next, s.lists = s.lists[0], s.lists[1:]
	}
	if err, failed := next.(error); failed {
		return nil, err
	}
	return next.(*corev1.PodList), nil
}

func (s *server) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, "watch "+o.ResourceVersion)
	if len(s.watches) == 0 {
		idle := watch.NewFake()
		context.AfterFunc(ctx, idle.Stop)
		return idle, nil
	}
	next := s.watches[0]
	s.watches = s.watches[1:]
	if err, failed := next.(error); failed {
		return nil, err
	}
	return next.(watch.Interface), nil
}

// told writes down what a feed tells.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (t *told) add(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

func (t *told) Page(objects []runtime.Object, listing uint32) {
	t.add("page of %d in %d", len(objects), listing)
}
func (t *told) Listed(listing uint32) { t.add("listed %d", listing) }
func (t *told) Unread(err error)      { t.add("unread %t", err != nil) }
func (t *told) Change(kind watch.EventType, o runtime.Object) {
	t.add("%s %s", kind, o.(*corev1.Pod).Name)
}

func (t *told) has() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

func list(version, next string, n int) *corev1.PodList {
	return &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version, Continue: next}, Items: make([]corev1.Pod, n)}
}

func named(name, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}}
}

// run runs a feed until it has told as much.
func run(t *testing.T, s *server, lines int) *told {
	t.Helper()
	to := &told{}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { feed.New("pods", s, 2, to).Run(ctx) })
	require.Eventually(t, func() bool { return len(to.has()) >= lines }, 10*time.Second, 5*time.Millisecond)
	cancel()
	group.Wait()
	return to
}

func ended(events ...watch.Event) watch.Interface {
	w := watch.NewFakeWithChanSize(len(events), false)
	for _, e := range events {
		w.Action(e.Type, e.Object)
	}
	w.Stop()
	return w
}

func TestAFeedListsPageByPageAndThenWatches(t *testing.T) {
	s := &server{lists: []any{list("7", "more", 2), list("7", "", 1)}, watches: []any{
		ended(watch.Event{Type: watch.Added, Object: named("a", "8")}, watch.Event{Type: watch.Bookmark, Object: named("", "9")}),
		ended(watch.Event{Type: watch.Deleted, Object: named("a", "10")}),
	}}
	to := run(t, s, 6)
	assert.Equal(t, []string{"page of 2 in 1", "page of 1 in 1", "unread false", "listed 1", "ADDED a", "DELETED a"}, to.has())
	assert.Equal(t, []string{`list 2 ""`, `list 2 "more"`, "watch 7", "watch 9"}, s.asked[:4], "a watch is taken up where it ended")
}

func TestAfterAWatchIsLostEverythingIsListedAnew(t *testing.T) {
	gone := apierrors.NewResourceExpired("too old").Status()
	s := &server{lists: []any{list("7", "", 1), list("20", "", 2)}, watches: []any{ended(watch.Event{Type: watch.Error, Object: &gone})}}
	to := run(t, s, 6)
	assert.Equal(t, []string{"page of 1 in 1", "unread false", "listed 1", "page of 2 in 2", "unread false", "listed 2"}, to.has())
}

func TestAListingThatExpiresBeginsAnew(t *testing.T) {
	s := &server{lists: []any{list("7", "more", 2), apierrors.NewResourceExpired("continue token is too old"), list("9", "", 3)}}
	to := run(t, s, 4)
	assert.Equal(t, []string{"page of 2 in 1", "page of 3 in 2", "unread false", "listed 2"}, to.has())
}

func TestAnAPIServerThatRestartsIsWaitedFor(t *testing.T) {
	busy := apierrors.NewTooManyRequests("later", 1)
	s := &server{lists: []any{list("7", "", 1)}, watches: []any{busy, ended(watch.Event{Type: watch.Added, Object: named("a", "8")})}}
	to := run(t, s, 4)
	assert.Equal(t, []string{"page of 1 in 1", "unread false", "listed 1", "ADDED a"}, to.has(), "without listing anew")
}

func TestWhatMayNotBeReadIsSaid(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", nil)
	s := &server{lists: []any{forbidden, list("7", "", 1)}}
	to := run(t, s, 4)
	assert.Equal(t, []string{"unread true", "page of 1 in 2", "unread false", "listed 2"}, to.has())
	assert.False(t, feed.Unreadable(&apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusInternalServerError}}))
}
