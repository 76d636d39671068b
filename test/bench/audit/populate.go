package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// perWorkload is how many Pods a Deployment has.
const perWorkload = 10

const restricted = "docker.io/kaspersky/scanengine_httpd:2.1"

// populate fills the cluster while nothing restricts it yet.
func populate(ctx context.Context, client *kubernetes.Clientset, s size) error {
	for i := range s.namespaces {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i, s)}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	workloads := s.pods / perWorkload
	every := max(1, s.pods/max(1, s.restricted))
	var (
		next  atomic.Int64
		group sync.WaitGroup
		once  sync.Once
		first error
	)
	for range 8 {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < workloads && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if i%100 == 0 {
					fmt.Fprintf(os.Stderr, "\r%d of %d Pods", i*perWorkload, s.pods)
				}
				image := fmt.Sprintf("registry.example.com/team-%d/service-%d:1.%d", i%37, i%211, i%5)
				if i%every == 0 {
					image = restricted
				}
				if err := create(ctx, client, namespaceOf(i*s.namespaces/workloads, s), i, image); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	group.Wait()
	fmt.Fprintln(os.Stderr)
	return first
}

func namespaceOf(i int, s size) string { return fmt.Sprintf("team-%03d", i%s.namespaces) }

// create makes a Deployment with its ReplicaSet and its Pods, which run.
func create(ctx context.Context, client *kubernetes.Clientset, ns string, i int, image string) error {
	name := fmt.Sprintf("service-%05d", i)
	labels := map[string]string{"app": name, "app.kubernetes.io/part-of": "bench"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(image)}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	replicas := int32(perWorkload)
	deployment, err := client.AppsV1().Deployments(ns).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	set, err := client.AppsV1().ReplicaSets(ns).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name + "-6d4b75cb6d", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(deployment, appsv1.SchemeGroupVersion.WithKind("Deployment"))}},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for j := range perWorkload {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: ns, Name: fmt.Sprintf("%s-%05d", set.Name, j), Labels: labels,
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
			},
			Spec: template.Spec,
		}
		pod.Spec.NodeName = fmt.Sprintf("node-%03d", (i+j)%100)
		if err := createPod(ctx, client, pod, status(image)); err != nil {
			return err
		}
	}
	return nil
}

// createPod makes a Pod that runs. A store that is slow under so many is waited for.
func createPod(ctx context.Context, client *kubernetes.Clientset, pod *corev1.Pod, status corev1.PodStatus) error {
	slow := func(err error) bool {
		return apierrors.IsInternalError(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
	}
	pods := client.CoreV1().Pods(pod.Namespace)
	return retry.OnError(retry.DefaultBackoff, slow, func() error {
		created, err := pods.Create(ctx, pod, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			created, err = pods.Get(ctx, pod.Name, metav1.GetOptions{})
		}
		if err != nil {
			return err
		}
		created.Status = status
		_, err = pods.UpdateStatus(ctx, created, metav1.UpdateOptions{})
		return err
	})
}

// podSpec is as large as those of real Pods.
func podSpec(image string) corev1.PodSpec {
	container := func(name, image string) corev1.Container {
		probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/check", "--quiet"}}}, PeriodSeconds: 10}
		c := corev1.Container{
			Name: name, Image: image, Args: []string{"--config=/etc/service/config.yaml", "--log-format=json"},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi"),
			}},
			LivenessProbe: probe, ReadinessProbe: probe,
			VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/service"}, {Name: "data", MountPath: "/var/lib/service"}},
		}
		for i := range 10 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: strings.Repeat("value", 4)})
		}
		return c
	}
	setup := container("setup", "registry.example.com/mesh/setup:1.29.1")
	setup.LivenessProbe, setup.ReadinessProbe = nil, nil
	return corev1.PodSpec{
		TerminationGracePeriodSeconds: new(int64),
		Containers:                    []corev1.Container{container("service", image), container("proxy", "registry.example.com/mesh/proxy:1.29.1")},
		InitContainers:                []corev1.Container{setup},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}}},
			{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
}

func status(image string) corev1.PodStatus {
	now := metav1.NewTime(time.Now())
	running := func(name, image, digit string) corev1.ContainerStatus {
		repository := image[:strings.LastIndex(image, ":")]
		return corev1.ContainerStatus{
			Name: name, Image: image, ImageID: repository + "@sha256:" + strings.Repeat(digit, 64), ContainerID: "containerd://" + strings.Repeat(digit, 64),
			Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}
	}
	return corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "10.1.2.3", HostIP: "10.0.0.1", StartTime: &now,
		Conditions:            []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now}},
		ContainerStatuses:     []corev1.ContainerStatus{running("service", image, "1"), running("proxy", "registry.example.com/mesh/proxy:1.29.1", "2")},
		InitContainerStatuses: []corev1.ContainerStatus{running("setup", "registry.example.com/mesh/setup:1.29.1", "3")},
	}
}
