package preview_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook/preview"
)

// crowd is a client of a cluster with so many Pods of a listed vendor.
func crowd(t *testing.T, pods int, functions interceptor.Funcs) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	objects := []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "n"}}}
	for i := range pods {
		objects = append(objects, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: fmt.Sprintf("p-%04d", i)},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "kaspersky/scanengine_httpd"}}},
		})
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(functions).Build()
}

func kaspersky(t *testing.T) *v1alpha1.RestrictedVendor {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	for i := range vendors {
		if vendors[i].Name == "kaspersky" {
			return &vendors[i]
		}
	}
	t.Fatal("kaspersky isn't in the list")
	return nil
}

func TestAPreviewCountsAndNamesNothing(t *testing.T) {
	c := crowd(t, 5, interceptor.Funcs{})
	p := preview.New(c, c, time.Now)
	p.Timeout = time.Minute
	lines := p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Equal(t, []string{
		"preview of what this does to workloads that are there (5 workloads looked at):",
		"now: updates refused, restarts warned about: 5 workloads in 1 namespace",
	}, lines[:2])
	assert.Equal(t, "their names, with your own rights: kubectl embargo audit -A --list FILE; for coming dates: kubectl embargo forecast -A --list FILE", lines[len(lines)-1])
	assert.NotContains(t, strings.Join(lines, "\n"), "p-000")
}

func TestAPreviewIsBounded(t *testing.T) {
	c := crowd(t, 50, interceptor.Funcs{})
	p := preview.New(c, c, time.Now)
	p.Limit, p.Timeout = 0, time.Minute
	lines := p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Equal(t, []string{"preview: no workload is affected (0 workloads looked at, there are more)"}, lines)

	slow := crowd(t, 5, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
		if _, pods := list.(*corev1.PodList); pods {
			<-ctx.Done()
			return ctx.Err()
		}
		return c.List(ctx, list, o...)
	}})
	p = preview.New(slow, slow, time.Now)
	p.Timeout = 50 * time.Millisecond
	start := time.Now()
	lines = p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Equal(t, []string{"preview: no workload is affected (0 workloads looked at, there are more)"}, lines)
	assert.Less(t, time.Since(start), 10*time.Second, "it would wait for ever")
}

// TestLookingIsBoundedToo: in a large cluster it takes longer than listing.
func TestLookingIsBoundedToo(t *testing.T) {
	const many = 200_000
	c := crowd(t, 0, interceptor.Funcs{})
	p := preview.New(c, c, time.Now)
	p.Timeout = 20 * time.Millisecond
	object := workload.Object{Namespace: "n", Name: "av", Images: []workload.Image{{Field: "spec.containers[0].image", Value: "kaspersky/scanengine_httpd"}}}
	p.Audited = func(int) ([]preview.Workload, bool, bool) {
		return slices.Repeat([]preview.Workload{{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Object: object}}, many), true, true
	}
	lines := p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Contains(t, lines[0], "workloads looked at, there are more)")
	assert.NotContains(t, lines[0], "200000")
}

func TestAPreviewThatFailsIsInNobodysWay(t *testing.T) {
	broken := crowd(t, 0, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return errors.New("no rights")
	}})
	lines := preview.New(broken, broken, time.Now).Vendor(t.Context(), kaspersky(t), nil, nil)
	assert.Equal(t, []string{"no preview: listing namespaces from the cache: no rights"}, lines)
}

func TestAPreviewIsAnsweredFromTheAuditWhereThatRuns(t *testing.T) {
	unlisted := crowd(t, 5, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
		if _, namespaces := list.(*metav1.PartialObjectMetadataList); !namespaces {
			return errors.New("nothing but namespaces is to be listed")
		}
		return c.List(ctx, list, o...)
	}})
	p := preview.New(unlisted, unlisted, time.Now)
	p.Timeout = time.Minute
	p.Audited = func(int) ([]preview.Workload, bool, bool) {
		object := workload.Object{Namespace: "n", Name: "av", Images: []workload.Image{{Field: "spec.containers[0].image", Value: "kaspersky/scanengine_httpd"}}}
		return []preview.Workload{{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Object: object}}, false, true
	}
	lines := p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Equal(t, []string{
		"preview of what this does to workloads that are there (1 workload looked at, there are more):",
		"now: updates refused, restarts warned about: 1 workload in 1 namespace",
	}, lines[:2])

	audited := crowd(t, 5, interceptor.Funcs{})
	p = preview.New(audited, audited, time.Now)
	p.Timeout = time.Minute
	p.Audited = func(int) ([]preview.Workload, bool, bool) { return nil, false, false }
	lines = p.Vendor(t.Context(), kaspersky(t), []v1alpha1.VendorPolicy{catalog.DefaultPolicy()}, nil)
	assert.Contains(t, lines[0], "(5 workloads looked at)", "a replica that doesn't audit lists")
}
