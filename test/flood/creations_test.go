//go:build linux

package flood

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// suspected is an image that is warned of, so that the Pod is created.
const suspected = "ghcr.io/kaspersky/agent:1"

// pace is how often the API server asks: each is a review, every second one needs its owner
// read.
const pace = 100 * time.Millisecond

// result is how creations went.
type result struct {
	took   []time.Duration
	errors []string
}

func (r *result) p99() time.Duration { return r.at(0.99) }

func (r *result) at(share float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(r.took))[int(share*float64(len(r.took)-1))]
}

func (r *result) String() string {
	return fmt.Sprintf("%d creations, %d failed, p50 %s, p99 %s", len(r.took), len(r.errors), r.at(0.5).Round(100*time.Microsecond), r.p99().Round(100*time.Microsecond))
}

// makeOwner makes a ReplicaSet that can own Pods.
func (s *stage) makeOwner(t *testing.T) *appsv1.ReplicaSet {
	t.Helper()
	client, err := kubernetes.NewForConfig(s.plane.Config())
	require.NoError(t, err)
	labels := map[string]string{"app": "flood"}
	owner, err := client.AppsV1().ReplicaSets("default").Create(t.Context(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "owner"},
		Spec: appsv1.ReplicaSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "nginx:1"}}},
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return owner
}

// fill makes Pods in many namespaces, one in twenty of a suspected image, and waits until
// the audit has reported them.
func (s *stage) fill(t *testing.T, n int) {
	t.Helper()
	const perNamespace, oneIn = 50, 20
	if n == 0 {
		return
	}
	config := s.plane.Config()
	config.WarningHandler, config.QPS = rest.NoWarnings{}, -1
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for first := 0; first < n; first += perNamespace {
		namespace := fmt.Sprintf("filled-%d", first/perNamespace)
		group.Go(func() error {
			_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
			for i := first; err == nil && i < min(first+perNamespace, n); i++ {
				image := "registry.k8s.io/pause:3.10"
				if i%oneIn == 0 {
					image = suspected
				}
				_, err = client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
					ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("filled-%d", i)},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: image}}},
				}, metav1.CreateOptions{})
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	reported := func() bool {
		output, err := s.plane.Kubectl(t.Context(), "get", "vendorreports", "-A", "-o", "name").Output()
		return err == nil && strings.Count(string(output), "\n") >= n/perNamespace
	}
	require.Eventually(t, reported, 5*time.Minute, time.Second)
}

// create creates Pods at a steady pace, whether the ones before are done or not.
func (s *stage) create(t *testing.T, owner *appsv1.ReplicaSet, during time.Duration) *result {
	t.Helper()
	config := s.plane.Config()
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	var (
		mu      sync.Mutex
		all     result
		running sync.WaitGroup
	)
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			running.Wait()
			return &all
		case <-ticker.C:
		}
		running.Go(func() {
			took, err := createPod(t.Context(), client, pod(n, owner))
			mu.Lock()
			defer mu.Unlock()
			all.took = append(all.took, took)
			if err != nil {
				all.errors = append(all.errors, err.Error())
			}
		})
	}
}

func pod(n int, owner *appsv1.ReplicaSet) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "suspect-"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: suspected}}},
	}
	if n%2 == 0 {
		p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	}
	return p
}

// createPod creates a Pod and returns how long that took; the Pod doesn't stay.
func createPod(ctx context.Context, client kubernetes.Interface, p *corev1.Pod) (time.Duration, error) {
	start := time.Now()
	created, err := client.CoreV1().Pods("default").Create(ctx, p, metav1.CreateOptions{})
	took := time.Since(start)
	if err != nil {
		return took, err
	}
	now := int64(0)
	return took, client.CoreV1().Pods("default").Delete(ctx, created.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
}
