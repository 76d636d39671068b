package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"

	"embargo.dev/audit/inventory"
	"embargo.dev/audit/reports"
	"embargo.dev/policies/v1alpha1"
)

// Survey reads once what a cluster runs, for whoever doesn't follow it. It reads as the
// audit does, so that both come to the same findings.
type Survey struct {
	Config *rest.Config
	// Namespaces are those to be read; none: all, and what is in none.
	Namespaces []string
	// Fallback are the namespaces that are tried one by one where not all may be read at
	// once.
	Fallback []string
	// Resources are those beside the built-in workloads that may embed pod templates.
	Resources []Resource
	// Read is told how many objects were read.
	Read func(objects int)

	sources   *sources
	mu        sync.Mutex
	inventory *inventory.Inventory
	reports   *reports.Reports
	unread    []Unread
}

// Unread is what could not be read.
type Unread struct {
	Resource  string
	Namespace string // "" for all
	Err       error
}

// Surveyed is what a cluster runs, as far as it may be read.
type Surveyed struct {
	Inventory *inventory.Inventory
	// Reports have what the audit remembers.
	Reports *reports.Reports
	Unread  []Unread
}

const (
	// surveyedAtOnce is how many listings run at a time.
	surveyedAtOnce = 4
	// surveyTimeout bounds a listing of one kind.
	surveyTimeout = 5 * time.Minute
)

// Take reads. An error says that the cluster can't be reached; what may not be read is
// part of the result.
func (s *Survey) Take(ctx context.Context) (*Surveyed, error) {
	from, err := newSources(s.Config)
	if err != nil {
		return nil, fmt.Errorf("the survey's clients: %w", err)
	}
	s.sources, s.inventory, s.reports = from, inventory.New(), reports.New(nil, nil, nil)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(surveyedAtOnce)
	for _, k := range s.kinds() {
		group.Go(func() error { return s.kind(ctx, k) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return &Surveyed{Inventory: s.inventory, Reports: s.reports, Unread: s.unread}, nil
}

// kinds are what is to be read, nodes for the names that they have for images.
func (s *Survey) kinds() []*inventory.Kind {
	kinds := []*inventory.Kind{nodeKind, reportKind}
	known := map[string]bool{}
	for _, k := range builtin {
		kinds, known[k.String()] = append(kinds, k), true
	}
	for _, r := range s.Resources {
		k := &inventory.Kind{GroupVersionKind: r.Kind, Resource: r.Resource}
		if !known[k.String()] && (len(s.Namespaces) == 0 || !r.ClusterScoped) {
			kinds, known[k.String()] = append(kinds, k), true
		}
	}
	return kinds
}

// kind reads a kind, at once or namespace by namespace.
func (s *Survey) kind(ctx context.Context, k *inventory.Kind) error {
	namespaces := s.Namespaces
	if k == nodeKind || len(namespaces) == 0 {
		err := s.list(ctx, k, metav1.NamespaceAll)
		if k == nodeKind || !apierrors.IsForbidden(err) || len(s.Fallback) == 0 {
			return s.tell(k, metav1.NamespaceAll, err)
		}
		namespaces = s.Fallback
	}
	for _, namespace := range namespaces {
		if err := s.tell(k, namespace, s.list(ctx, k, namespace)); err != nil {
			return err
		}
	}
	return nil
}

// tell notes what the API server doesn't give: it may not be read, or the API that serves
// it is down. Where there is no answer at all, the survey ends.
func (s *Survey) tell(k *inventory.Kind, namespace string, err error) error {
	if status := apierrors.APIStatus(nil); err == nil || !errors.As(err, &status) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = append(s.unread, Unread{k.String(), namespace, err})
	return nil
}

// list reads a kind page by page.
func (s *Survey) list(ctx context.Context, k *inventory.Kind, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	source, size := s.sources.of(k, namespace)
	pages := pager.New(source.ListWithContext)
	pages.PageSize = size
	return pages.EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error {
		s.take(k, o)
		return nil
	})
}

func (s *Survey) take(k *inventory.Kind, o runtime.Object) {
	seen, isWorkload := read(k, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o := o.(type) {
	case *corev1.Node:
		s.inventory.PutNode(o.Name, nodeImages(o))
	case *v1alpha1.VendorReport:
		s.reports.Page([]runtime.Object{o}, 1)
	default:
		if isWorkload {
			s.inventory.Put(k, seen, 1)
			if s.Read != nil {
				s.Read(1)
			}
		}
	}
}
