// Package options holds the controller's settings: the defaults, the config file
// and the flags, in that order.
package options

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"embargo.dev/audit/workloadreports"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
)

// Kind is the kind of a config file.
const Kind = "EmbargoConfiguration"

// Config is the config file. Every key is optional.
type Config struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`

	// Namespace is Embargo's own namespace: of its Secret, its lease and its state.
	Namespace string `json:"namespace,omitempty"`
	// Installation is the name of the ClusterRole that stands for the
	// installation: what the controller writes for the whole cluster goes with it.
	Installation string `json:"installation,omitempty"`
	// TrustedControllers are user names whose children with a controller owner
	// continue what the owner stands for, in the whole cluster.
	TrustedControllers []string `json:"trustedControllers,omitempty"`
	// ReportAPI says in which kinds of others the audit's findings are written, beside
	// VendorReports: auto, openreports, wgpolicy or none.
	ReportAPI workloadreports.Setting `json:"reportAPI,omitempty"`

	Webhook        Webhook        `json:"webhook,omitzero"`
	Catalog        Catalog        `json:"catalog,omitzero"`
	Declared       Declared       `json:"declared,omitzero"`
	Audit          Audit          `json:"audit,omitzero"`
	LeaderElection LeaderElection `json:"leaderElection,omitzero"`
	Metrics        Metrics        `json:"metrics,omitzero"`
	Health         Endpoint       `json:"health,omitzero"`
	Logging        Logging        `json:"logging,omitzero"`
	// DrainPeriod is how long a stopping replica still answers, so that the API
	// server has time to turn to others.
	DrainPeriod DrainPeriod `json:"drainPeriod,omitzero"`
}

// DrainPeriod is a duration such as 5s. It knows its key, which a decoder doesn't tell.
type DrainPeriod struct{ time.Duration }

// UnmarshalJSON reads the text of a duration.
func (d *DrainPeriod) UnmarshalJSON(text []byte) error {
	var err error
	if d.Duration, err = time.ParseDuration(strings.Trim(string(text), `"`)); err != nil {
		return fmt.Errorf("drainPeriod: %s is not a duration; want one such as 5s", text)
	}
	return nil
}

// Webhook is where the API server reaches the controller.
type Webhook struct {
	Host string `json:"host,omitempty"` // address to listen on
	Port int    `json:"port,omitempty"`
	// URL is the base URL for an API server that can't reach the Service, as when
	// the controller runs outside the cluster: https://HOST:PORT.
	URL     string  `json:"url,omitempty"`
	Service Service `json:"service,omitzero"`
	// CertDir has tls.crt, tls.key and ca.crt; empty, the controller keeps
	// certificates of its own in a Secret.
	CertDir string `json:"certDir,omitempty"`
	// Secret is the name of that Secret.
	Secret string `json:"secret,omitempty"`
	// TemplatesFailurePolicy says what becomes of changes of discovered resources while
	// Embargo is down: Ignore lets them by unseen, Fail refuses them.
	TemplatesFailurePolicy string `json:"templatesFailurePolicy,omitempty"`
	// ClientCA is a file with certificates in PEM. Callers then need a client certificate
	// that one of them has signed. The controller follows changes of the file.
	ClientCA string `json:"clientCA,omitempty"`
	// ClientSubjects are the common names that a client certificate may have; empty, any.
	ClientSubjects []string `json:"clientSubjects,omitempty"`
	// TLS is for the webhook, and for metrics where they are secure.
	TLS TLS `json:"tls,omitzero"`
}

// TLS are settings by the names that Kubernetes' own components have for them.
type TLS struct {
	MinVersion string `json:"minVersion,omitempty"` // VersionTLS12 or VersionTLS13
	// CipherSuites are IANA names of those allowed with TLS 1.2; empty, Go's own choice.
	CipherSuites []string `json:"cipherSuites,omitempty"`
}

// Service is the Service in front of the replicas, in Embargo's namespace.
type Service struct {
	Name string `json:"name,omitempty"`
	Port int32  `json:"port,omitempty"`
}

// Catalog is what of the built-in list is applied.
type Catalog struct {
	// Vendors are names of built-in vendors, or "*" for all; a name with "!" before it is
	// left out of all.
	Vendors catalog.Selection `json:"vendors,omitempty"`
	// DefaultPolicy is false where a new installation gets no default policy.
	DefaultPolicy bool `json:"defaultPolicy,omitempty"`
}

// Declared is where vendors, policies and waivers are declared beside what people write
// themselves: how a package manager brings them, which can't create objects of kinds
// that it only just defines.
type Declared struct {
	// ConfigMap is in Embargo's namespace, an object a key.
	ConfigMap string `json:"configMap,omitempty"`
}

// Audit is whether the leader finds what runs and writes reports.
type Audit struct {
	Disabled bool `json:"disabled,omitempty"`
}

// LeaderElection is how the replica that writes is chosen.
type LeaderElection struct {
	Disabled bool   `json:"disabled,omitempty"`
	Name     string `json:"name,omitempty"` // of the lease
}

// Endpoint is an address to serve on, such as ":8080"; "0" serves nothing.
type Endpoint struct {
	BindAddress string `json:"bindAddress,omitempty"`
}

// Metrics is where and how metrics are served.
type Metrics struct {
	BindAddress string `json:"bindAddress,omitempty"` // as of an Endpoint
	// Secure serves them over TLS, to those whom the cluster allows to get /metrics.
	Secure bool `json:"secure,omitempty"`
}

// Logging is how the log is written.
type Logging struct {
	Level  string `json:"level,omitempty"`  // debug, info, warn or error
	Format string `json:"format,omitempty"` // json or text
}

// Default returns the settings of a controller that is told nothing.
func Default() Config {
	return Config{
		APIVersion:     v1alpha1.GroupVersion.String(),
		Kind:           Kind,
		Namespace:      "embargo-system",
		Installation:   "embargo",
		ReportAPI:      workloadreports.Auto,
		Webhook:        Webhook{Port: 9443, Secret: "embargo-webhook-certificate", TemplatesFailurePolicy: "Ignore", TLS: TLS{MinVersion: "VersionTLS12"}, Service: Service{Name: "embargo-webhook", Port: 443}},
		Catalog:        Catalog{Vendors: catalog.Selection{catalog.All}, DefaultPolicy: true},
		Declared:       Declared{ConfigMap: "embargo-list"},
		LeaderElection: LeaderElection{Name: "embargo"},
		Metrics:        Metrics{BindAddress: ":8080"},
		Health:         Endpoint{BindAddress: ":8081"},
		Logging:        Logging{Level: "info", Format: "json"},
		DrainPeriod:    DrainPeriod{Duration: 5 * time.Second},
	}
}

// load reads a config file over the settings. An unknown key is refused, also one that
// differs in its case only: a misspelt setting that is quietly ignored is worse than none.
func (c *Config) load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	if err := c.read(data); err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	return nil
}

func (c *Config) read(data []byte) error {
	document, err := single(data)
	if err != nil {
		return err
	}
	content, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	var head metav1.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(content, &head); err != nil {
		return err
	}
	if head.APIVersion != c.APIVersion || head.Kind != c.Kind {
		return fmt.Errorf("apiVersion and kind are %q and %q, want %q and %q", head.APIVersion, head.Kind, c.APIVersion, c.Kind)
	}
	unknown, err := json.UnmarshalStrict(content, c)
	return errors.Join(append(unknown, err)...)
}

// single returns the one document of a file: what a second one says would be ignored.
func single(data []byte) ([]byte, error) {
	var documents [][]byte
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if content, err := yaml.YAMLToJSON(document); err != nil || string(content) != "null" {
			documents = append(documents, document)
		}
	}
	if len(documents) > 1 {
		return nil, fmt.Errorf("it has %d documents, want one", len(documents))
	}
	return bytes.Join(documents, nil), nil
}
