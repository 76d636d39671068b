package controlplane

import (
	"context"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Config returns the administrator's client configuration, without a rate limit.
func (c *ControlPlane) Config() *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		panic(fmt.Sprintf("the control plane's own kubeconfig: %v", err)) // written by prepare
	}
	config.QPS = -1
	return config
}

// UserConfig returns the client configuration of a user with a certificate that the
// cluster trusts: any name, in any groups.
func (c *ControlPlane) UserConfig(name string, groups ...string) (*rest.Config, error) {
	certificate, key, err := c.authority.issue(pkix.Name{CommonName: name, Organization: groups})
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(c.Config())
	config.CertData, config.KeyData = certificate, key
	return config, nil
}

// WriteKubeconfig writes a kubeconfig for a user of any name, in any groups, into the
// control plane's folder and returns its path.
func (c *ControlPlane) WriteKubeconfig(file, name string, groups ...string) (string, error) {
	return c.file(file), c.writeKubeconfig(file, pkix.Name{CommonName: name, Organization: groups})
}

// CAFile returns the path of the certificate authority's certificate.
func (c *ControlPlane) CAFile() string { return c.file("ca.crt") }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (c *ControlPlane) Kubeconfig() string { return c.file("kubeconfig") }

// AuditLog returns the path of the API server's audit log, a JSON object a line.
func (c *ControlPlane) AuditLog() string { return c.file("audit.log") }

// KubectlPath returns the path of kubectl.
func (c *ControlPlane) KubectlPath() string { return c.binaries[kubectl] }

// Kubectl returns a kubectl command as the administrator.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	return cmd
}

// writeKubeconfig writes a kubeconfig for a user of the given name and groups.
func (c *ControlPlane) writeKubeconfig(file string, subject pkix.Name) error {
	certificate, key, err := c.authority.issue(subject)
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["embargo"] = &clientcmdapi.Cluster{Server: c.url(), CertificateAuthorityData: c.authority.pem}
	config.AuthInfos["user"] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts["embargo"] = &clientcmdapi.Context{Cluster: "embargo", AuthInfo: "user"}
	config.CurrentContext = "embargo"
	return clientcmd.WriteToFile(*config, c.file(file))
}

// url is where the API server is reached.
func (c *ControlPlane) url() string {
	if c.options.Address == "" {
		return localURL("https", c.port)
	}
	return "https://" + net.JoinHostPort(c.options.Address, strconv.Itoa(c.port))
}
