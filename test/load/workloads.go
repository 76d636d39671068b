package load

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Class is what should become of a workload.
type Class string

// The classes: Clean ones no list knows; Suspected ones are warned of and admitted while
// somebody answers; Restricted ones are refused.
const (
	Clean      Class = "clean"
	Suspected  Class = "suspected"
	Restricted Class = "restricted"
)

// images are those of the classes, by the built-in list.
var images = map[Class]string{
	Clean:      "registry.example.com/shop/web:1.4",
	Suspected:  "registry.example.com/kaspersky/agent:2.0",
	Restricted: "kaspersky/scanengine_httpd:2.1",
}

// mix is the order in which classes take turns.
var mix = []Class{Clean, Restricted, Clean, Clean, Restricted, Clean, Suspected, Clean, Clean, Restricted}

func classOf(i int) Class { return mix[i%len(mix)] }

// kindOf changes after each round of classes, so that every class comes in every kind.
func kindOf(i int) kind { return kinds[i/len(mix)%len(kinds)] }

// kind is a kind of workload, in a form that starts nothing: the load is on admission.
type kind struct {
	name   string
	create func(ctx context.Context, c kubernetes.Interface, namespace, name string, spec corev1.PodSpec) error
	remove func(ctx context.Context, c kubernetes.Interface, namespace, name string) error
}

var kinds = []kind{
	{
		name: "Pod",
		create: func(ctx context.Context, c kubernetes.Interface, namespace, name string, spec corev1.PodSpec) error {
			spec.SchedulerName = "nobody"
			_, err := c.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}, metav1.CreateOptions{})
			return err
		},
		remove: func(ctx context.Context, c kubernetes.Interface, namespace, name string) error {
			return c.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
		},
	},
	{
		name: "Deployment",
		create: func(ctx context.Context, c kubernetes.Interface, namespace, name string, spec corev1.PodSpec) error {
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}}
			d.Spec.Paused, d.Spec.Replicas = true, new(int32)
			d.Spec.Selector, d.Spec.Template = &metav1.LabelSelector{MatchLabels: labels}, template(spec)
			_, err := c.AppsV1().Deployments(namespace).Create(ctx, d, metav1.CreateOptions{})
			return err
		},
		remove: func(ctx context.Context, c kubernetes.Interface, namespace, name string) error {
			return c.AppsV1().Deployments(namespace).Delete(ctx, name, metav1.DeleteOptions{})
		},
	},
	{
		name: "Job",
		create: func(ctx context.Context, c kubernetes.Interface, namespace, name string, spec corev1.PodSpec) error {
			suspend := true
			j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name}}
			spec.RestartPolicy = corev1.RestartPolicyNever
			j.Spec.Suspend, j.Spec.Template.Spec = &suspend, spec
			_, err := c.BatchV1().Jobs(namespace).Create(ctx, j, metav1.CreateOptions{})
			return err
		},
		remove: func(ctx context.Context, c kubernetes.Interface, namespace, name string) error {
			background := metav1.DeletePropagationBackground
			return c.BatchV1().Jobs(namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
		},
	},
}

var labels = map[string]string{"app": "load"}

func template(spec corev1.PodSpec) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec}
}

func podSpec(class Class) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: images[class]}}}
}
