//go:build e2e && linux

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	namespace       = "embargo-system"
	cleanImage      = "registry.example.com/shop/web:1.4"
	restrictedImage = "kaspersky/scanengine_httpd:2.1"
)

// try runs the real kubectl.
func try(ctx context.Context, args ...string) (string, error) {
	output, err := stage.cluster.Kubectl(ctx, args...).CombinedOutput()
	return string(output), err
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	// Cleaning up goes on when the test has ended.
	output, err := try(context.WithoutCancel(t.Context()), args...)
	require.NoError(t, err, "kubectl %s\n%s", strings.Join(args, " "), output)
	return output
}

// eventually waits for something that the cluster does by itself.
func eventually(t *testing.T, within time.Duration, holds func() bool, what string) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(within); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			require.Fail(t, what, "it didn't come about within %s", within)
		}
	}
}

// enforced reports whether the built-in list and the default policy are in force.
func enforced(ctx context.Context) bool {
	for _, object := range []string{"restrictedvendor/kaspersky", "vendorpolicy/default"} {
		output, err := try(ctx, "get", object, "-o", `jsonpath={.status.conditions[?(@.type=="Enforced")].status}`)
		if err != nil || output != "True" {
			return false
		}
	}
	return true
}

// decides reports whether the webhook itself refuses a restricted image, and not the
// API server on its behalf.
func decides(ctx context.Context) bool {
	output, err := try(ctx, "run", "probe", "--dry-run=server", "--image="+restrictedImage)
	return err != nil && strings.Contains(output, "refused by cluster policy")
}

// replicas returns the controller's Pods that are ready and not about to go.
func replicas(t *testing.T) []corev1.Pod {
	t.Helper()
	list, err := stage.admin.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=embargo"})
	require.NoError(t, err)
	var ready []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil && isReady(&pod) {
			ready = append(ready, pod)
		}
	}
	return ready
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// leader returns the replica that holds the lease, once one of those that stay does.
func leader(t *testing.T) *corev1.Pod {
	t.Helper()
	var leading *corev1.Pod
	eventually(t, 60*time.Second, func() bool {
		lease, err := stage.admin.CoordinationV1().Leases(namespace).Get(t.Context(), "embargo", metav1.GetOptions{})
		if err != nil || lease.Spec.HolderIdentity == nil {
			return false
		}
		for _, pod := range replicas(t) {
			if strings.HasPrefix(*lease.Spec.HolderIdentity, pod.Name+"_") {
				leading = &pod
			}
		}
		return leading != nil
	}, "a replica leads")
	return leading
}
