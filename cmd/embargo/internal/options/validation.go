package options

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"

	"embargo.dev/audit/workloadreports"
	"embargo.dev/webhook/server"
)

// Validate says everything that is wrong with the settings, each with its key.
func (o *Options) Validate() error {
	var v validator
	v.names(&o.Config)
	v.addresses(&o.Config)
	v.tls(&o.Config)
	v.oneOf("webhook.templatesFailurePolicy", o.Webhook.TemplatesFailurePolicy, "Ignore", "Fail")
	if !slices.Contains(workloadreports.Settings(), o.ReportAPI) {
		v.wrong("reportAPI", "%q; want auto, openreports, wgpolicy or none", o.ReportAPI)
	}
	v.oneOf("logging.level", o.Logging.Level, "debug", "info", "warn", "error")
	v.oneOf("logging.format", o.Logging.Format, "json", "text")
	if o.DrainPeriod.Duration < 0 {
		v.wrong("drainPeriod", "%s is negative", o.DrainPeriod.Duration)
	}
	for i, name := range o.TrustedControllers {
		if strings.TrimSpace(name) == "" {
			v.wrong(fmt.Sprintf("trustedControllers[%d]", i), "is empty; want a user name such as system:serviceaccount:argo:argo")
		}
	}
	for i := range o.Catalog.Vendors {
		if err := o.Catalog.Vendors.CheckEntry(i); err != nil {
			v.wrong(fmt.Sprintf("catalog.vendors[%d]", i), "%s", err)
		}
	}
	return errors.Join(v.errs...)
}

// validator gathers what is wrong.
type validator struct{ errs []error }

func (v *validator) wrong(key, format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if last := len(allowed) - 1; !slices.Contains(allowed, value) {
		v.wrong(key, "%q; want %s or %s", value, strings.Join(allowed[:last], ", "), allowed[last])
	}
}

// names checks the names of objects by the rules of their kinds.
func (v *validator) names(c *Config) {
	for _, n := range []struct {
		key, name string
		check     func(string) []string
	}{
		{"namespace", c.Namespace, validation.IsDNS1123Label},
		{"installation", c.Installation, isSegment},
		{"webhook.service.name", c.Webhook.Service.Name, validation.IsDNS1123Label},
		{"webhook.secret", c.Webhook.Secret, validation.IsDNS1123Subdomain},
		{"declared.configMap", c.Declared.ConfigMap, validation.IsDNS1123Subdomain},
		{"leaderElection.name", c.LeaderElection.Name, validation.IsDNS1123Subdomain},
	} {
		if msgs := n.check(n.name); len(msgs) > 0 {
			v.wrong(n.key, "%q: %s", n.name, strings.Join(msgs, "; "))
		}
	}
}

// isSegment checks the name of a ClusterRole.
func isSegment(name string) []string {
	if name == "" {
		return []string{"want the name of a ClusterRole"}
	}
	return content.IsPathSegmentName(name)
}

// addresses checks where is listened, and where the API server looks.
func (v *validator) addresses(c *Config) {
	for key, port := range map[string]int{"webhook.port": c.Webhook.Port, "webhook.service.port": int(c.Webhook.Service.Port)} {
		if port < 1 || port > 65535 {
			v.wrong(key, "%d is not a port; want 1 to 65535", port)
		}
	}
	for key, address := range map[string]string{"metrics.bindAddress": c.Metrics.BindAddress, "health.bindAddress": c.Health.BindAddress} {
		if !listens(address) {
			v.wrong(key, `%q is no address to listen on; want HOST:PORT, :PORT, or "0" for none`, address)
		}
	}
	if c.Webhook.URL != "" {
		u, err := url.Parse(c.Webhook.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || cmp.Or(u.RawQuery, u.Fragment) != "" || u.User != nil {
			v.wrong("webhook.url", "%q is not a base URL; want https://HOST:PORT", c.Webhook.URL)
		}
	}
}

// tls checks the settings of TLS, and who may call.
func (v *validator) tls(c *Config) {
	version, err := server.MinVersion(c.Webhook.TLS.MinVersion)
	if err != nil {
		v.wrong("webhook.tls.minVersion", "%v", err)
	}
	if _, err := server.CipherSuites(c.Webhook.TLS.CipherSuites); err != nil {
		v.wrong("webhook.tls.cipherSuites", "%v", err)
	}
	if version == tls.VersionTLS13 && len(c.Webhook.TLS.CipherSuites) > 0 {
		v.wrong("webhook.tls.cipherSuites", "TLS 1.3 chooses its own; leave them out, or set webhook.tls.minVersion to VersionTLS12")
	}
	if len(c.Webhook.ClientSubjects) > 0 && c.Webhook.ClientCA == "" {
		v.wrong("webhook.clientSubjects", "nobody's name is verified without webhook.clientCA")
	}
	for i, name := range c.Webhook.ClientSubjects {
		if strings.TrimSpace(name) == "" {
			v.wrong(fmt.Sprintf("webhook.clientSubjects[%d]", i), "is empty; want a common name such as kube-apiserver")
		}
	}
}

func listens(address string) bool {
	if address == "0" {
		return true
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
