//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// kubeletConfig takes the resolver's file, the certificate authority's, the control group,
// the socket and the folder of static Pods. Disks are not watched, since they are the whole machine's.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[2]q}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://%[4]s
cgroupDriver: cgroupfs
cgroupRoot: /%[3]s
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
resolvConf: %[1]q
volumePluginDir: %[1]s/plugins
evictionHard: {memory.available: 64Mi, nodefs.available: "0%%", imagefs.available: "0%%", nodefs.inodesFree: "0%%"}
imageGCHighThresholdPercent: 100
nodeStatusUpdateFrequency: 5s
staticPodPath: %[5]q
fileCheckFrequency: 1s
shutdownGracePeriod: 0s
`

// startKubelet starts kubelet and waits until the node is ready.
func (n *Node) startKubelet(ctx context.Context) error {
	kubeconfig, err := n.plane.WriteKubeconfig(n.Name+".kubeconfig", "system:node:"+n.Name, "system:nodes")
	if err != nil {
		return err
	}
	// Pods ask nobody for names: there is none to ask.
	resolver := filepath.Join(n.dir, "resolv.conf")
	if err := os.WriteFile(resolver, nil, 0o600); err != nil {
		return err
	}
	if err := makeControlGroups(n.controlGroup()); err != nil {
		return err
	}
	if err := os.MkdirAll(n.StaticPods(), 0o700); err != nil {
		return err
	}
	config := filepath.Join(n.dir, "kubelet.yaml")
	content := fmt.Appendf(nil, kubeletConfig, resolver, n.plane.CAFile(), n.controlGroup(), n.Socket(), n.StaticPods())
	if err := os.WriteFile(config, content, 0o600); err != nil {
		return err
	}
	p, err := n.start(kubelet, "--config="+config, "--kubeconfig="+kubeconfig, "--root-dir="+filepath.Join(n.dir, "kubelet"),
		"--cert-dir="+filepath.Join(n.dir, "pki"), "--hostname-override="+n.Name, "--node-ip="+n.address())
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(n.plane.Config())
	if err != nil {
		return err
	}
	return p.Await(ctx, func(ctx context.Context) error { return ready(ctx, client, n.Name) })
}

// StaticPods returns the folder whose manifests kubelet runs, whatever the API server says
// of it.
func (n *Node) StaticPods() string { return filepath.Join(n.dir, "manifests") }

func ready(ctx context.Context, client kubernetes.Interface, name string) error {
	node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return fmt.Errorf("%s: %s", condition.Reason, condition.Message)
		} else if condition.Type == corev1.NodeReady {
			return nil
		}
	}
	return fmt.Errorf("%s says nothing about itself yet", name)
}

// startProxy starts kube-proxy, which leads Services to their endpoints.
func (n *Node) startProxy(context.Context) error {
	kubeconfig, err := n.plane.WriteKubeconfig(n.Name+"-proxy.kubeconfig", "system:kube-proxy")
	if err != nil {
		return err
	}
	// How many connections are tracked is the whole machine's to say.
	_, err = n.start(kubeProxy, "--kubeconfig="+kubeconfig, "--hostname-override="+n.Name, "--proxy-mode=iptables", "--cluster-cidr="+podNetwork,
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0")
	return err
}
