package audit

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/json"

	"embargo.dev/audit/inventory"
	"embargo.dev/policies/imageref"
	"embargo.dev/policies/workload"
)

// JSON paths of the pod specs of Kubernetes' own kinds.
const (
	podSpec      = "spec"
	templateSpec = "spec.template.spec"
	cronJobSpec  = "spec.jobTemplate.spec.template.spec"
	podTemplate  = "template.spec"
)

// read takes from an object what the audit needs; false where it is of a kind that can't
// be read.
func read(kind *inventory.Kind, o runtime.Object) (*inventory.Seen, bool) {
	s := &inventory.Seen{}
	switch o := o.(type) {
	case *corev1.Pod:
		s.Images, s.Pod = workload.OfPodSpec(podSpec, &o.Spec), readPod(o)
	case *appsv1.ReplicaSet:
		s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
		s.Dormant = o.Spec.Replicas != nil && *o.Spec.Replicas == 0 && o.Status.Replicas == 0
	case *appsv1.Deployment:
		s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
	case *appsv1.StatefulSet:
		s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
	case *appsv1.DaemonSet:
		s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
	case *batchv1.Job:
		s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
	case *batchv1.CronJob:
		s.Images = workload.OfPodSpec(cronJobSpec, &o.Spec.JobTemplate.Spec.Template.Spec)
	case *corev1.ReplicationController:
		if o.Spec.Template != nil {
			s.Images = workload.OfPodSpec(templateSpec, &o.Spec.Template.Spec)
		}
	case *corev1.PodTemplate:
		s.Images = workload.OfPodSpec(podTemplate, &o.Template.Spec)
	case *appsv1.ControllerRevision:
		s.Images = readRevision(kind, o)
	case *unstructured.Unstructured:
		s.Images = workload.FromMap(kind.GroupKind(), o.Object).Images
	default:
		return nil, false
	}
	about, ok := o.(metav1.Object)
	if !ok {
		return nil, false
	}
	readMetadata(s, about)
	return s, true
}

func readMetadata(s *inventory.Seen, o metav1.Object) {
	s.Namespace, s.Name, s.UID = o.GetNamespace(), o.GetName(), o.GetUID()
	s.Created, s.Deleting = o.GetCreationTimestamp().Time, o.GetDeletionTimestamp() != nil
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		s.Owner = inventory.Owner{APIVersion: owner.APIVersion, Kind: owner.Kind, Name: owner.Name, UID: owner.UID}
	}
}

// readRevision reads what a ControllerRevision holds: raw JSON of whatever shape.
func readRevision(kind *inventory.Kind, o *appsv1.ControllerRevision) []workload.Image {
	var data any
	if err := json.UnmarshalCaseSensitivePreserveInts(o.Data.Raw, &data); err != nil {
		return nil
	}
	return workload.FromMap(kind.GroupKind(), map[string]any{"data": data}).Images
}

func readPod(p *corev1.Pod) *inventory.SeenPod {
	s := &inventory.SeenPod{Ended: p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed}
	if _, mirrors := p.Annotations[corev1.MirrorPodAnnotationKey]; mirrors {
		s.Node = p.Spec.NodeName
	}
	for _, statuses := range [][]corev1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for i := range statuses {
			if r, ok := readStatus(&statuses[i]); ok {
				s.Running = append(s.Running, r)
			}
		}
	}
	return s
}

// readStatus reads what a container runs; false where its status doesn't say.
//
// The image's ID is REPOSITORY@DIGEST, of a manifest or an index, where containerd got the
// image from a registry; older runtimes write docker-pullable:// before it. CRI-O's ID, and
// that of an image that came from no registry, is the digest of the image's configuration. The
// image is a name or, where the runtime knows none with a tag, such an ID too.
func readStatus(c *corev1.ContainerStatus) (inventory.Running, bool) {
	r := inventory.Running{Container: c.Name}
	id := c.ImageID
	if _, after, found := strings.Cut(id, "://"); found {
		id = after
	}
	if ref, err := imageref.Parse(id); err == nil && ref.Digest != "" {
		r.Digest = ref.Digest
		r.Names = append(r.Names, id)
	}
	r.Config = cmp.Or(configDigest(id), configDigest(c.Image))
	isID := strings.HasPrefix(c.Image, "sha256:") || configDigest(c.Image) != ""
	if c.Image != "" && !isID && !slices.Contains(r.Names, c.Image) {
		r.Names = append(r.Names, c.Image)
	}
	return r, r.Digest != "" || r.Config != "" || len(r.Names) > 0
}

// configDigest reads an image's ID without a repository: a digest or, as CRI-O writes it, the
// digits of one. It returns "" for anything else.
func configDigest(id string) string {
	if len(id) == sha256.Size*2 {
		id = "sha256:" + id
	}
	digest, _ := imageref.ParseDigest(id)
	return digest
}

// nodeImages returns the images that a node holds, each by all its names.
func nodeImages(n *corev1.Node) [][]string {
	images := make([][]string, 0, len(n.Status.Images))
	for i := range n.Status.Images {
		images = append(images, n.Status.Images[i].Names)
	}
	return images
}
