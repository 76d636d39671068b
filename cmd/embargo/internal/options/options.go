package options

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"embargo.dev/audit/workloadreports"
	"embargo.dev/policies/catalog"
)

// Options are the settings with what only the command line says.
type Options struct {
	Config

	ConfigFile string
	Kubeconfig string

	flags Config // as given on the command line
}

// New returns the default options.
func New() *Options { return &Options{Config: Default()} }

// AddFlags adds the flags. A flag that is given goes before the config file.
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	o.flags = Default()
	f := &o.flags
	fs.StringVar(&o.ConfigFile, "config", "", "file with an "+Kind)
	fs.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig to run outside a cluster with; its current context is used")
	fs.StringVar(&f.Namespace, "namespace", f.Namespace, "Embargo's own namespace")
	fs.StringVar(&f.Installation, "installation", f.Installation, "name of the ClusterRole that stands for the installation")
	fs.StringSliceVar(&f.TrustedControllers, "trusted-controllers", nil, "user names whose children with a controller owner continue what the owner stands for")
	fs.StringVar(&f.Webhook.Host, "webhook-host", f.Webhook.Host, "address to listen on for the API server")
	fs.IntVar(&f.Webhook.Port, "webhook-port", f.Webhook.Port, "port to listen on for the API server")
	fs.StringVar(&f.Webhook.URL, "webhook-url", f.Webhook.URL, "base URL at which the API server reaches the webhook instead of the Service")
	fs.StringVar(&f.Webhook.CertDir, "cert-dir", f.Webhook.CertDir, "folder with tls.crt, tls.key and ca.crt instead of certificates kept in a Secret")
	fs.StringVar(&f.Webhook.TemplatesFailurePolicy, "templates-failure-policy", f.Webhook.TemplatesFailurePolicy, "what becomes of changes of discovered resources while Embargo is down: Ignore or Fail")
	fs.StringSliceVar(&f.Catalog.Vendors, "catalog-vendors", f.Catalog.Vendors, `built-in vendors to apply, or "*"`)
	fs.BoolVar(&f.Catalog.DefaultPolicy, "catalog-default-policy", f.Catalog.DefaultPolicy, "create the default policy in a new installation")
	fs.BoolVar(&f.Audit.Disabled, "audit-disabled", false, "don't find what runs, and write no reports")
	fs.StringVar((*string)(&f.ReportAPI), "report-api", string(f.ReportAPI), "kinds of others in which the audit writes its findings too: auto, openreports, wgpolicy or none")
	fs.BoolVar(&f.LeaderElection.Disabled, "leader-election-disabled", false, "run without leader election, as the only replica")
	fs.StringVar(&f.Metrics.BindAddress, "metrics-bind-address", f.Metrics.BindAddress, `address for /metrics, "0" for none`)
	fs.StringVar(&f.Health.BindAddress, "health-bind-address", f.Health.BindAddress, "address for /healthz and /readyz")
	fs.StringVar(&f.Logging.Level, "log-level", f.Logging.Level, "debug, info or error")
	fs.StringVar(&f.Logging.Format, "log-format", f.Logging.Format, "json or text")
	fs.DurationVar(&f.DrainPeriod.Duration, "drain-period", f.DrainPeriod.Duration, "how long a stopping replica still answers")
}

// Complete reads the config file and puts the given flags over it.
func (o *Options) Complete(fs *pflag.FlagSet) error {
	if o.ConfigFile != "" {
		if err := o.load(o.ConfigFile); err != nil {
			return err
		}
	}
	for name, take := range map[string]func(){
		"namespace":                func() { o.Namespace = o.flags.Namespace },
		"installation":             func() { o.Installation = o.flags.Installation },
		"trusted-controllers":      func() { o.TrustedControllers = o.flags.TrustedControllers },
		"webhook-host":             func() { o.Webhook.Host = o.flags.Webhook.Host },
		"webhook-port":             func() { o.Webhook.Port = o.flags.Webhook.Port },
		"webhook-url":              func() { o.Webhook.URL = o.flags.Webhook.URL },
		"cert-dir":                 func() { o.Webhook.CertDir = o.flags.Webhook.CertDir },
		"templates-failure-policy": func() { o.Webhook.TemplatesFailurePolicy = o.flags.Webhook.TemplatesFailurePolicy },
		"catalog-vendors":          func() { o.Catalog.Vendors = o.flags.Catalog.Vendors },
		"catalog-default-policy":   func() { o.Catalog.DefaultPolicy = o.flags.Catalog.DefaultPolicy },
		"audit-disabled":           func() { o.Audit.Disabled = o.flags.Audit.Disabled },
		"report-api":               func() { o.ReportAPI = o.flags.ReportAPI },
		"leader-election-disabled": func() { o.LeaderElection.Disabled = o.flags.LeaderElection.Disabled },
		"metrics-bind-address":     func() { o.Metrics.BindAddress = o.flags.Metrics.BindAddress },
		"health-bind-address":      func() { o.Health.BindAddress = o.flags.Health.BindAddress },
		"log-level":                func() { o.Logging.Level = o.flags.Logging.Level },
		"log-format":               func() { o.Logging.Format = o.flags.Logging.Format },
		"drain-period":             func() { o.DrainPeriod = o.flags.DrainPeriod },
	} {
		if fs.Changed(name) {
			take()
		}
	}
	return nil
}

// Validate says everything that is wrong with the settings, each with its key.
func (o *Options) Validate() error {
	var errs []error
	wrong := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	for key, name := range map[string]string{"namespace": o.Namespace, "webhook.service.name": o.Webhook.Service.Name} {
		if msgs := validation.IsDNS1123Label(name); len(msgs) > 0 {
			wrong(key, "%q: %s", name, strings.Join(msgs, "; "))
		}
	}
	if msgs := validation.IsDNS1123Subdomain(o.Declared.ConfigMap); len(msgs) > 0 {
		wrong("declared.configMap", "%q: %s", o.Declared.ConfigMap, strings.Join(msgs, "; "))
	}
	if o.Webhook.Port < 1 || o.Webhook.Port > 65535 {
		wrong("webhook.port", "%d is not a port; want 1 to 65535", o.Webhook.Port)
	}
	if o.Webhook.URL != "" {
		if u, err := url.Parse(o.Webhook.URL); err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			wrong("webhook.url", "%q is not a base URL; want https://HOST:PORT", o.Webhook.URL)
		}
	}
	if !slices.Contains([]string{"Ignore", "Fail"}, o.Webhook.TemplatesFailurePolicy) {
		wrong("webhook.templatesFailurePolicy", "%q; want Ignore or Fail", o.Webhook.TemplatesFailurePolicy)
	}
	if !slices.Contains(workloadreports.Settings(), o.ReportAPI) {
		wrong("reportAPI", "%q; want auto, openreports, wgpolicy or none", o.ReportAPI)
	}
	if !slices.Contains([]string{"debug", "info", "error"}, o.Logging.Level) {
		wrong("logging.level", "%q; want debug, info or error", o.Logging.Level)
	}
	if !slices.Contains([]string{"json", "text"}, o.Logging.Format) {
		wrong("logging.format", "%q; want json or text", o.Logging.Format)
	}
	if o.DrainPeriod.Duration < 0 {
		wrong("drainPeriod", "%s is negative", o.DrainPeriod.Duration)
	}
	for i, name := range o.TrustedControllers {
		if strings.TrimSpace(name) == "" {
			wrong(fmt.Sprintf("trustedControllers[%d]", i), "is empty; want a user name such as system:serviceaccount:argo:argo")
		}
	}
	for i, name := range o.Catalog.Vendors {
		if name != "*" && !slices.Contains(catalog.Names(), name) {
			wrong(fmt.Sprintf("catalog.vendors[%d]", i), `no built-in vendor is named %q; want "*" or some of %s`, name, strings.Join(catalog.Names(), ", "))
		}
	}
	return errors.Join(errs...)
}
