// Package node runs real Kubernetes nodes on this machine, beside test/controlplane:
// containerd with runc, a bridge network, kubelet and kube-proxy. Pods really run on
// them, reach each other and the API server, and Services lead to them.
//
// All of it, the tests too, runs in an enclosure: process, mount and network namespaces
// of their own. The kernel ends what runs in them with the first process in them,
// however that ends, and takes mounts, interfaces and packet filters with it. So there
// is nothing to kill, to unmount or to flush after a crash. What remains then is a
// folder and a few empty control groups, which the next run removes.
//
// It needs Linux, root, and a few of Debian's packages, which it installs.
package node
