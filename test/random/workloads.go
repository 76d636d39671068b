package random

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Workload is an object with images.
type Workload struct {
	Kind   schema.GroupVersionKind
	Object client.Object
}

// NewWorkload generates an object of any built-in kind that runs Pods, with a clean
// image and some random ones in any of a pod spec's fields. The API server accepts it,
// but for some images.
func (l *List) NewWorkload(t *rapid.T, name string) Workload {
	meta := metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceDefault}
	labels := map[string]string{"app": "random"}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	template := func(restart corev1.RestartPolicy) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: l.podSpec(t, restart)}
	}
	always, never := corev1.RestartPolicyAlways, corev1.RestartPolicyNever
	core, apps, batch := corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		return Workload{core.WithKind("PodTemplate"), &corev1.PodTemplate{ObjectMeta: meta, Template: template(always)}}
	case 1:
		pod := template(always)
		return Workload{core.WithKind("ReplicationController"), &corev1.ReplicationController{ObjectMeta: meta, Spec: corev1.ReplicationControllerSpec{Selector: labels, Template: &pod}}}
	case 2:
		return Workload{apps.WithKind("Deployment"), &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template(always)}}}
	case 3:
		return Workload{apps.WithKind("ReplicaSet"), &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: template(always)}}}
	case 4:
		return Workload{apps.WithKind("StatefulSet"), &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template(always)}}}
	case 5:
		return Workload{apps.WithKind("DaemonSet"), &appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template(always)}}}
	case 6:
		return Workload{batch.WithKind("Job"), &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Template: template(never)}}}
	case 7:
		job := batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template(never)}}
		return Workload{batch.WithKind("CronJob"), &batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: job}}}
	default:
		return Workload{core.WithKind("Pod"), &corev1.Pod{ObjectMeta: meta, Spec: l.podSpec(t, always)}}
	}
}

// podSpec generates a pod spec with a clean image first and one to three random ones.
func (l *List) podSpec(t *rapid.T, restart corev1.RestartPolicy) corev1.PodSpec {
	spec := corev1.PodSpec{RestartPolicy: restart, Containers: []corev1.Container{{Name: "clean", Image: "registry.k8s.io/pause:3.10"}}}
	for i := range rapid.IntRange(1, 3).Draw(t, "images") {
		name, image := fmt.Sprint("c", i), l.image(t)
		switch rapid.IntRange(0, 3).Draw(t, "field") {
		case 0:
			spec.InitContainers = append(spec.InitContainers, corev1.Container{Name: name, Image: image})
		case 1:
			volume := corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: image}}
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: name, VolumeSource: volume})
		default:
			spec.Containers = append(spec.Containers, corev1.Container{Name: name, Image: image})
		}
	}
	return spec
}
