package controlplane

import (
	"context"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"embargo.dev/test/program"
)

// serviceIP is the API server's own Service.
const serviceIP = "10.96.0.1"

// Options say what to run.
type Options struct {
	// Dir holds the state: data, certificates, kubeconfig, logs. Empty, it is a
	// temporary folder that Stop removes.
	Dir string
	// ControllerManager and Scheduler are run too. Without the controller manager
	// there are no service accounts, and Pods don't need one.
	ControllerManager, Scheduler bool
	// Address is where nodes and Pods reach the API server. Empty, only this machine
	// reaches it, and its Service leads nowhere.
	Address string
	// APIServerFlags and ControllerManagerFlags come after the usual ones.
	APIServerFlags, ControllerManagerFlags []string
	// Detached programs outlive this process.
	Detached bool
	// Progress is told what takes time; nil: nobody.
	Progress io.Writer
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	options   Options
	dir       string
	temporary bool
	binaries  Binaries
	authority *authority
	etcdPort  int
	peerPort  int
	port      int
	processes []*program.Process // in the order in which they were started
}

// startTimeout bounds the start of all programs together.
const startTimeout = 2 * time.Minute

// Start runs a control plane and returns when it serves.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	binaries, err := Locate(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{options: o, dir: o.Dir, binaries: binaries}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	return c.launch(ctx)
}

// launch starts the programs one after the other.
func (c *ControlPlane) launch(ctx context.Context) error {
	for _, step := range []func(context.Context) error{c.startEtcd, c.startAPIServer, c.startControllers, c.awaitDefaults} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *ControlPlane) prepare() error {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "embargo-controlplane-")
		if err != nil {
			return err
		}
		c.dir, c.temporary = dir, true
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return err
	}
	c.dir = dir
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if c.authority, err = newAuthority(); err != nil {
		return err
	}
	ports, err := FreePorts(3)
	if err != nil {
		return err
	}
	c.etcdPort, c.peerPort, c.port = ports[0], ports[1], ports[2]
	if err := c.authority.writePKI(c.dir, c.options.Address); err != nil {
		return err
	}
	if err := os.WriteFile(c.file("audit-policy.yaml"), []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	return c.writeKubeconfig("kubeconfig", pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}})
}

// auditPolicy logs each request once, with its annotations.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
`

// FreePorts returns ports that nobody listens on. They are held together, so that
// they differ.
func FreePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() //nolint:errcheck // only held
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (c *ControlPlane) file(name string) string { return filepath.Join(c.dir, name) }

func (c *ControlPlane) run(name string, args ...string) (*program.Process, error) {
	p, err := program.Start(c.binaries[name], program.Surroundings{Dir: c.dir, Detached: c.options.Detached}, args...)
	if err != nil {
		return nil, err
	}
	c.processes = append(c.processes, p)
	return p, nil
}

func (c *ControlPlane) startEtcd(ctx context.Context) error {
	url, peer := localURL("http", c.etcdPort), localURL("http", c.peerPort)
	p, err := c.run(etcd, "--data-dir="+c.file("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+url, "--advertise-client-urls="+url,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer)
	if err != nil {
		return err
	}
	return p.Await(ctx, func(ctx context.Context) error { return healthy(ctx, url+"/health") })
}

func localURL(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // only the status counts
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func (c *ControlPlane) startAPIServer(ctx context.Context) error { return c.runAPIServer(ctx) }

// runAPIServer starts the API server with flags that come after all others.
func (c *ControlPlane) runAPIServer(ctx context.Context, flags ...string) error {
	args := []string{
		"--etcd-servers=" + localURL("http", c.etcdPort),
		"--secure-port=" + strconv.Itoa(c.port),
		"--tls-cert-file=" + c.file("server.crt"), "--tls-private-key-file=" + c.file("server.key"),
		"--client-ca-file=" + c.file("ca.crt"), "--authorization-mode=Node,RBAC", "--allow-privileged",
		"--service-account-key-file=" + c.file("service-accounts.key"), "--service-account-signing-key-file=" + c.file("service-accounts.key"),
		"--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.96.0.0/16",
		"--kubelet-client-certificate=" + c.file("kubelet-client.crt"), "--kubelet-client-key=" + c.file("kubelet-client.key"),
		// Webhooks are called at the endpoints of their Services.
		"--enable-aggregator-routing=true",
		"--audit-policy-file=" + c.file("audit-policy.yaml"), "--audit-log-path=" + c.AuditLog(),
	}
	if c.options.Address == "" {
		args = append(args, "--bind-address=127.0.0.1", "--endpoint-reconciler-type=none")
	} else {
		args = append(args, "--advertise-address="+c.options.Address, "--kubelet-preferred-address-types=InternalIP")
	}
	if !c.options.ControllerManager {
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	p, err := c.run(apiServer, slices.Concat(args, c.options.APIServerFlags, flags)...)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	return p.Await(ctx, func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

func (c *ControlPlane) startControllers(context.Context) error {
	if c.options.ControllerManager {
		if err := c.writeKubeconfig("controller-manager.kubeconfig", pkix.Name{CommonName: "system:kube-controller-manager"}); err != nil {
			return err
		}
		ports, err := FreePorts(1)
		if err != nil {
			return err
		}
		args := []string{
			"--kubeconfig=" + c.file("controller-manager.kubeconfig"), "--secure-port=" + strconv.Itoa(ports[0]), "--bind-address=127.0.0.1",
			"--use-service-account-credentials=true", "--service-account-private-key-file=" + c.file("service-accounts.key"),
			"--root-ca-file=" + c.file("ca.crt"), "--cluster-signing-cert-file=" + c.file("ca.crt"), "--cluster-signing-key-file=" + c.file("ca.key"),
			"--leader-elect=false",
		}
		if _, err := c.run(controllerManager, append(args, c.options.ControllerManagerFlags...)...); err != nil {
			return err
		}
	}
	if !c.options.Scheduler {
		return nil
	}
	if err := c.writeKubeconfig("scheduler.kubeconfig", pkix.Name{CommonName: "system:kube-scheduler"}); err != nil {
		return err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	_, err = c.run(scheduler, "--kubeconfig="+c.file("scheduler.kubeconfig"), "--secure-port="+strconv.Itoa(ports[0]), "--bind-address=127.0.0.1", "--leader-elect=false")
	return err
}

// awaitDefaults waits for what the controllers make of a new cluster: the default
// namespace and, with the controller manager, its service account.
func (c *ControlPlane) awaitDefaults(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	return c.processes[len(c.processes)-1].Await(ctx, func(ctx context.Context) error {
		_, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		if err == nil && c.options.ControllerManager {
			_, err = client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		}
		return err
	})
}

// RestartAPIServer stops the API server and starts it again on the same port. The flags
// count until it is started the next time.
func (c *ControlPlane) RestartAPIServer(ctx context.Context, flags ...string) error {
	for i, p := range c.processes {
		if p.Name == apiServer {
			if err := p.Stop(); err != nil {
				return err
			}
			c.processes = append(c.processes[:i], c.processes[i+1:]...)
			break
		}
	}
	return c.runAPIServer(ctx, flags...)
}

// Restart stops all programs and starts them again, on the same ports and with what
// was stored.
func (c *ControlPlane) Restart(ctx context.Context) error {
	if err := c.halt(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return c.launch(ctx)
}

// Stop ends all programs and removes temporary state.
func (c *ControlPlane) Stop() error {
	err := c.halt()
	if c.temporary {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

// halt ends all programs, the last started first.
func (c *ControlPlane) halt() error {
	var errs []error
	for len(c.processes) > 0 {
		last := c.processes[len(c.processes)-1]
		c.processes = c.processes[:len(c.processes)-1]
		errs = append(errs, last.Stop())
	}
	return errors.Join(errs...)
}
