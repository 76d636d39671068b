package options

import (
	"reflect"
	"time"

	"github.com/spf13/pflag"

	"embargo.dev/audit/workloadreports"
	"embargo.dev/policies/catalog"
)

// Options are the settings with what only the command line says.
type Options struct {
	Config

	ConfigFile string
	Kubeconfig string

	flags Config   // as given on the command line
	take  []func() // puts each given flag over the settings
}

// New returns the default options.
func New() *Options { return &Options{Config: Default()} }

// AddFlags adds the flags: one for each setting. A flag that is given goes before the
// config file.
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.ConfigFile, "config", "", "file with an "+Kind)
	fs.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig to run outside a cluster with; its current context is used")
	o.flags = Default()
	for name, s := range map[string]struct {
		of    func(*Config) any // pointer to the setting
		usage string
	}{
		"namespace":                {func(c *Config) any { return &c.Namespace }, "Embargo's own namespace"},
		"installation":             {func(c *Config) any { return &c.Installation }, "name of the ClusterRole that stands for the installation"},
		"trusted-controllers":      {func(c *Config) any { return &c.TrustedControllers }, "user names whose children with a controller owner continue what the owner stands for"},
		"report-api":               {func(c *Config) any { return &c.ReportAPI }, "kinds of others in which the audit writes its findings too: auto, openreports, wgpolicy or none"},
		"webhook-host":             {func(c *Config) any { return &c.Webhook.Host }, "address to listen on for the API server"},
		"webhook-port":             {func(c *Config) any { return &c.Webhook.Port }, "port to listen on for the API server"},
		"webhook-url":              {func(c *Config) any { return &c.Webhook.URL }, "base URL at which the API server reaches the webhook instead of the Service"},
		"webhook-service-name":     {func(c *Config) any { return &c.Webhook.Service.Name }, "name of the Service at which the API server reaches the webhook"},
		"webhook-service-port":     {func(c *Config) any { return &c.Webhook.Service.Port }, "port of that Service"},
		"webhook-secret":           {func(c *Config) any { return &c.Webhook.Secret }, "name of the Secret in which certificates are kept"},
		"cert-dir":                 {func(c *Config) any { return &c.Webhook.CertDir }, "folder with tls.crt, tls.key and ca.crt instead of certificates kept in a Secret"},
		"templates-failure-policy": {func(c *Config) any { return &c.Webhook.TemplatesFailurePolicy }, "what happens to people's changes of discovered resources while Embargo is down: Ignore (admitted) or Fail (refused)"},
		"webhook-client-ca":        {func(c *Config) any { return &c.Webhook.ClientCA }, "file with the CA of client certificates, which callers of the webhook then need"},
		"webhook-client-subjects":  {func(c *Config) any { return &c.Webhook.ClientSubjects }, "common names that client certificates may have; empty, any"},
		"tls-min-version":          {func(c *Config) any { return &c.Webhook.TLS.MinVersion }, "least version of TLS: VersionTLS12 or VersionTLS13"},
		"tls-cipher-suites":        {func(c *Config) any { return &c.Webhook.TLS.CipherSuites }, "IANA names of cipher suites to allow with TLS 1.2; empty, Go's own choice"},
		"catalog-vendors":          {func(c *Config) any { return &c.Catalog.Vendors }, `built-in vendors to keep in the cluster, or "*" for all; "!NAME" leaves one out of all`},
		"catalog-default-policy":   {func(c *Config) any { return &c.Catalog.DefaultPolicy }, "create the default policy in a new installation"},
		"declared-config-map":      {func(c *Config) any { return &c.Declared.ConfigMap }, "ConfigMap with the vendors, policies and waivers that the installation's values declare"},
		"audit-disabled":           {func(c *Config) any { return &c.Audit.Disabled }, "don't find what runs, and write no reports"},
		"leader-election-disabled": {func(c *Config) any { return &c.LeaderElection.Disabled }, "run without leader election, as the only replica"},
		"leader-election-name":     {func(c *Config) any { return &c.LeaderElection.Name }, "name of the lease by which the leader is chosen"},
		"metrics-bind-address":     {func(c *Config) any { return &c.Metrics.BindAddress }, `address for /metrics, "0" for none`},
		"metrics-secure":           {func(c *Config) any { return &c.Metrics.Secure }, "serve /metrics over TLS, to those whom the cluster allows to get it"},
		"health-bind-address":      {func(c *Config) any { return &c.Health.BindAddress }, `address for /healthz and /readyz, "0" for none`},
		"log-level":                {func(c *Config) any { return &c.Logging.Level }, "debug, info, warn or error"},
		"log-format":               {func(c *Config) any { return &c.Logging.Format }, "json or text"},
		"drain-period":             {func(c *Config) any { return &c.DrainPeriod.Duration }, "how long a stopping replica still answers"},
	} {
		o.add(fs, name, s.usage, s.of)
	}
}

// add adds the flag of a setting.
func (o *Options) add(fs *pflag.FlagSet, name, usage string, of func(*Config) any) {
	given, to := of(&o.flags), of(&o.Config)
	switch v := given.(type) {
	case *string:
		fs.StringVar(v, name, *v, usage)
	case *workloadreports.Setting:
		fs.StringVar((*string)(v), name, string(*v), usage)
	case *[]string:
		fs.StringSliceVar(v, name, *v, usage)
	case *catalog.Selection:
		fs.StringSliceVar((*[]string)(v), name, *v, usage)
	case *int:
		fs.IntVar(v, name, *v, usage)
	case *int32:
		fs.Int32Var(v, name, *v, usage)
	case *bool:
		fs.BoolVar(v, name, *v, usage)
	case *time.Duration:
		fs.DurationVar(v, name, *v, usage)
	}
	o.take = append(o.take, func() {
		if fs.Changed(name) {
			reflect.ValueOf(to).Elem().Set(reflect.ValueOf(given).Elem())
		}
	})
}

// Complete reads the config file and puts the given flags over it.
func (o *Options) Complete() error {
	if o.ConfigFile != "" {
		if err := o.load(o.ConfigFile); err != nil {
			return err
		}
	}
	for _, take := range o.take {
		take()
	}
	return nil
}
