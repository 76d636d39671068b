//go:build certmanager

package certmanager_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"embargo.dev/test/controlplane"
	"embargo.dev/test/helm"
	"embargo.dev/test/installation"
	"embargo.dev/test/modules"
	"embargo.dev/test/program"
)

// version is that of the module test/tools/certmanager and of its kinds.
const version = "v1.21.2"

const namespace = "embargo-system"

// cluster is an API server with cert-manager, and the release in it.
type cluster struct {
	plane   *controlplane.ControlPlane
	client  kubernetes.Interface
	root    string
	dir     string
	address string // of this machine, which isn't loopback: endpoints may not be
}

func start(t *testing.T) *cluster {
	t.Helper()
	root, err := program.Root()
	require.NoError(t, err)
	c := &cluster{root: root, dir: t.TempDir(), address: ownAddress(t)}
	c.plane, err = controlplane.Start(t.Context(), controlplane.Options{ControllerManager: true, Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.plane.Stop()) })
	c.client, err = kubernetes.NewForConfig(c.plane.Config())
	require.NoError(t, err)
	c.certManager(t)
	return c
}

// certManager defines cert-manager's kinds, and runs its controllers.
func (c *cluster) certManager(t *testing.T) {
	t.Helper()
	dir, err := modules.Download(t.Context(), "github.com/cert-manager/cert-manager@"+version)
	require.NoError(t, err)
	c.kubectl(t, "apply", "--server-side", "-f", filepath.Join(dir, "deploy", "crds"))
	eventually(t, func() bool {
		_, err := c.try(t.Context(), "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
		return err == nil
	}, "cert-manager's kinds are served")
	source := program.Source{Name: "certmanager", Module: "certmanager", Package: "."}
	path, err := source.Cached(t.Context(), version, os.Stderr)
	require.NoError(t, err)
	running, err := program.Start(path, program.Surroundings{Dir: c.dir}, c.plane.Kubeconfig())
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			log, err := os.ReadFile(filepath.Join(c.dir, "certmanager.log"))
			t.Logf("cert-manager: %s %v", log, err)
		}
		assert.NoError(t, running.Stop())
	})
}

func (c *cluster) try(ctx context.Context, args ...string) (string, error) {
	output, err := c.plane.Kubectl(ctx, args...).CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := c.try(t.Context(), args...)
	require.NoError(t, err, output)
	return output
}

// helm installs or upgrades the chart with Helm, as people would.
func (c *cluster) helm(t *testing.T, command, source string) {
	t.Helper()
	h, err := helm.Locate(t.Context(), 4, os.Stderr)
	require.NoError(t, err)
	_, err = h.Run(t.Context(), c.dir, c.plane.Kubeconfig(), command, "embargo", filepath.Join(c.root, "charts", "embargo"),
		"--namespace="+namespace, "--create-namespace", "--set=certificates.source="+source)
	require.NoError(t, err)
}

// issued returns a Secret of the release once its certificate is another than before.
func (c *cluster) issued(t *testing.T, name string, before *corev1.Secret) *corev1.Secret {
	t.Helper()
	var secret *corev1.Secret
	eventually(t, func() bool {
		var err error
		secret, err = c.client.CoreV1().Secrets(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || len(secret.Data[corev1.TLSCertKey]) == 0 {
			return false
		}
		return before == nil || string(before.Data[corev1.TLSCertKey]) != string(secret.Data[corev1.TLSCertKey])
	}, "cert-manager issues "+name)
	return secret
}

// binary builds the controller, and writes the release's config file and the credentials
// of its service account.
func (c *cluster) binary(t *testing.T) (path, config, kubeconfig string) {
	t.Helper()
	path, err := installation.Build(t.Context(), c.root, c.dir)
	require.NoError(t, err)
	config = filepath.Join(c.dir, "config.yaml")
	content := c.kubectl(t, "-n", namespace, "get", "configmap", "embargo-config", "-o", `jsonpath={.data.config\.yaml}`)
	require.NoError(t, os.WriteFile(config, []byte(content), 0o600))
	kubeconfig, err = installation.Kubeconfig(t.Context(), c.plane, c.dir)
	require.NoError(t, err)
	return path, config, kubeconfig
}

func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	require.Fail(t, "this machine has no address but loopback, which no endpoint may have")
	return ""
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 100*time.Millisecond, message)
}
