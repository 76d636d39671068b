package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/policies"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook/fairness"
	"embargo.dev/webhook/limits"
)

func heldMemory(t *testing.T) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "embargo_webhook_memory_bytes" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.Fail(t, "the metric is missing")
	return 0
}

// TestMemoryComesBackWhateverTheAnswer reviews what is decided, what can't be read and what
// panics.
func TestMemoryComesBackWhateverTheAnswer(t *testing.T) {
	panics := builtinList(t)
	panics.Rules = func() *policies.RuleSet { panic("out of rules") }
	good := reviewText("v1", "CREATE", "Pod", pod("nginx"))
	send(t, builtinList(t), "application/json", good)
	send(t, builtinList(t), "application/json", good[:len(good)/2])
	send(t, builtinList(t), "application/json", strings.Repeat(" ", 9<<20))
	send(t, builtinList(t), "text/plain", good)
	send(t, panics, "application/json", good)
	assert.Zero(t, heldMemory(t))
}

// TestAnObjectTooComplexIsRefused: an error would let it pass unseen where the failurePolicy
// is Ignore.
func TestAnObjectTooComplexIsRefused(t *testing.T) {
	object := strings.Replace(pod(restrictedImage), `"spec":{`, `"spec":{"x":[`+strings.Repeat(`{"":1},`, 60_000)+`1],`, 1)
	answer := decided(t, builtinList(t), reviewText("v1", "CREATE", "Pod", object))
	assert.False(t, answer.Response.Allowed)
	assert.Equal(t, "u-1", string(answer.Response.UID))
	assert.Contains(t, answer.Response.Result.Message, "too many values")
}

// TestAnObjectAsLargeAsStoredIsDecided: of usual values, and of the smallest in a list.
func TestAnObjectAsLargeAsStoredIsDecided(t *testing.T) {
	usual := `{"name":"SOME_VARIABLE_NAME","value":"a value of usual length"},`
	for name, values := range map[string]string{
		"variables": strings.Repeat(usual, (3<<19)/len(usual)),
		"numbers":   strings.Repeat("1,", 3<<18),
	} {
		t.Run(name, func(t *testing.T) {
			object := strings.Replace(pod(restrictedImage), `"spec":{`, `"spec":{"x":[`+values+`1],`, 1)
			answer := decided(t, builtinList(t), reviewText("v1", "CREATE", "Pod", object))
			assert.Contains(t, answer.Response.Result.Message, "Kaspersky")
		})
	}
}

// TestReadsAreBoundedBySource checks that a source that causes many reads waits or gets an
// error, and that other sources do neither.
func TestReadsAreBoundedBySource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limits.New().Unpaced()
		reader := shared.Reader(namespaces{})
		read := func(address string) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ctx, done, err := shared.Decide(ctx, fairness.SourceOf(address), 4096)
			require.NoError(t, err)
			defer done()
			return reader.Get(ctx, client.ObjectKey{Name: "n"}, &metav1.PartialObjectMetadata{})
		}
		for range 1000 {
			require.NoError(t, read("10.0.0.1:1"))
		}
		start := time.Now()
		require.NoError(t, read("10.0.0.1:1"))
		assert.Equal(t, 5*time.Millisecond, time.Since(start), "200 a second")
		start = time.Now()
		require.NoError(t, read("10.0.0.2:1"))
		assert.Zero(t, time.Since(start))

		ctx, done, err := shared.Decide(t.Context(), fairness.SourceOf("10.0.0.1:1"), 4096)
		require.NoError(t, err)
		defer done()
		soon, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		err = reader.Get(soon, client.ObjectKey{Name: "n"}, &metav1.PartialObjectMetadata{})
		require.ErrorIs(t, err, limits.ErrTooManyReads)
	})
}

// TestReadsLeaveTheirPlace: whoever waits for the API server doesn't keep others from
// deciding.
func TestReadsLeaveTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := limits.New()
		answer := make(chan struct{})
		slow := shared.Reader(readerFunc(func() { <-answer }))
		source := fairness.SourceOf("10.0.0.1:1")
		done := make(chan error)
		const many = 8 // as many reads as one source may have
		for range many {
			go func() {
				ctx, leave, err := shared.Decide(t.Context(), source, 4096)
				if err == nil {
					err = slow.Get(ctx, client.ObjectKey{}, nil)
					leave()
				}
				done <- err
			}()
		}
		synctest.Wait()
		_, leave, err := shared.Decide(t.Context(), source, 4096)
		require.NoError(t, err, "the places are free")
		leave()
		close(answer)
		for range many {
			require.NoError(t, <-done)
		}
	})
}

// readerFunc does something for each Get.
type readerFunc func()

func (f readerFunc) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	f()
	return nil
}

func (f readerFunc) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func TestRevisionsAreListedByTheOwnersSelector(t *testing.T) {
	for _, c := range []struct {
		name  string
		pages int
		says  string
	}{{"within bounds", 3, ""}, {"past the bound", 1 << 20, "has more than 1000 ControllerRevisions"}} {
		t.Run(c.name, func(t *testing.T) {
			var selectors []string
			live := interceptor.NewClient(fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(statefulSet()).Build(), interceptor.Funcs{
				List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
					applied := (&client.ListOptions{}).ApplyOptions(options)
					selectors = append(selectors, applied.LabelSelector.String())
					list.SetContinue(fmt.Sprint("page ", len(selectors)))
					if len(selectors) == c.pages {
						list.SetContinue("")
					}
					return nil
				},
			})
			w := builtinList(t)
			w.Live, w.Covered = live, workload.Builtin
			child := strings.Replace(pod(restrictedImage), `"metadata":{`, `"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","uid":"sts","controller":true}],`, 1)
			require.Contains(t, child, "ownerReferences")
			answer := send(t, w, "application/json", reviewText("v1", "CREATE", "Pod", child))
			for _, selector := range selectors {
				assert.Equal(t, "app=db", selector)
			}
			if c.says == "" {
				assert.Len(t, selectors, c.pages)
				assert.Equal(t, http.StatusOK, answer.Code)
				return
			}
			assert.Equal(t, http.StatusInternalServerError, answer.Code, "what is not read isn't taken for absent")
			assert.Contains(t, answer.Body.String(), c.says)
		})
	}
}

func statefulSet() client.Object {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "db", UID: "sts"},
		Spec:       appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}},
	}
}
