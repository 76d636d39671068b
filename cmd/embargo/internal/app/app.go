package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"embargo.dev/audit"
	"embargo.dev/cmd/embargo/internal/options"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
	"embargo.dev/webhook"
	"embargo.dev/webhook/builtin"
	"embargo.dev/webhook/certificates"
	"embargo.dev/webhook/declared"
	"embargo.dev/webhook/discovery"
	"embargo.dev/webhook/installation"
	"embargo.dev/webhook/preview"
	"embargo.dev/webhook/registration"
	"embargo.dev/webhook/ruleset"
	"embargo.dev/webhook/skew"
	"embargo.dev/webhook/trigger"
)

// controller is everything that runs, put together once.
type controller struct {
	options      *options.Options
	mgr          ctrl.Manager
	certificates certificateSource
	keeper       *ruleset.Keeper
	discovery    *discovery.Discovery
	registrar    *registration.Registrar
	presenter    *registration.Presenter
	auditor      *audit.Auditor // nil where the audit is off
	skew         *skew.Meter
	skewed       trigger.Trigger // told to whoever writes conditions
	drain        drain
}

// certificateSource is a Server with the way in which it gets its certificate.
type certificateSource interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	CABundle() []byte
	Changed() <-chan struct{}
	Check(*http.Request) error
}

// run runs the controller until the context ends, and a drain period longer.
func run(ctx context.Context, o *options.Options) error {
	ctrl.SetLogger(newLogger(o.Logging))
	ctrl.Log.Info("starting", "version", Version())
	c := &controller{options: o, skew: skew.NewMeter(time.Now), skewed: trigger.New()}
	for _, step := range []func(context.Context) error{c.manager, c.certify, c.rules, c.discover, c.audit, c.register, c.serve, c.install, c.checks} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return c.mgr.Start(c.drain.start(ctx, o.DrainPeriod.Duration))
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// queriesPerSecond and burst bound what is asked of the API server for each kind of
// object. The default of client-go, 5, would keep a list of 200 vendors waiting for most
// of a minute.
const queriesPerSecond, burst = 50, 100

func (c *controller) manager(context.Context) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	config, err := clientConfig(c.options.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reaching the cluster: %w", err)
	}
	config.QPS, config.Burst = queriesPerSecond, burst
	config.Wrap(c.skew.Wrap)
	o := c.options
	server := ctrlwebhook.NewServer(ctrlwebhook.Options{
		Host: o.Webhook.Host, Port: o.Webhook.Port,
		TLSOpts: []func(*tls.Config){func(t *tls.Config) {
			t.MinVersion = tls.VersionTLS12
			t.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				return c.certificates.GetCertificate(hello)
			}
		}},
	})
	c.mgr, err = ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		WebhookServer:                 server,
		Metrics:                       metricsserver.Options{BindAddress: o.Metrics.BindAddress},
		HealthProbeBindAddress:        o.Health.BindAddress,
		LeaderElection:                !o.LeaderElection.Disabled,
		LeaderElectionID:              o.LeaderElection.Name,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cacheOptions(),
		Client:                        clientOptions(),
	})
	if err != nil {
		return err
	}
	return c.mgr.Add(&skew.Teller{Meter: c.skew, Recorder: c.mgr.GetEventRecorder("embargo"), Namespace: o.Namespace, Forward: c.skewed})
}

func clientConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig != "" {
		return clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	return rest.InClusterConfig()
}

// cacheOptions keep little: of namespaces and of what tells of schemas the metadata, and
// of that no annotations, in which whole objects may lie; of webhook configurations the
// one that is Embargo's.
func cacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: func(object any) (any, error) {
			if m, ok := object.(*metav1.PartialObjectMetadata); ok {
				m.Annotations = nil
			}
			return cache.TransformStripManagedFields()(object)
		},
		ByObject: map[client.Object]cache.ByObject{
			&admissionv1.ValidatingWebhookConfiguration{}: {Field: fields.OneTermEqualSelector(metav1.ObjectNameField, registration.Name)},
		},
	}
}

// clientOptions read through the cache what is watched anyway, and all else live, so
// that no watch is opened by the way.
func clientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{
		DisableFor: []client.Object{&corev1.ConfigMap{}, &corev1.Secret{}},
	}}
}

func (c *controller) certify(context.Context) error {
	o := c.options
	if o.Webhook.CertDir != "" {
		files, err := certificates.NewFiles(o.Webhook.CertDir)
		if err != nil {
			return err
		}
		c.certificates = files
		return c.mgr.Add(files)
	}
	var extra []string
	if o.Webhook.URL != "" {
		u, err := url.Parse(o.Webhook.URL)
		if err != nil {
			return err
		}
		extra = []string{u.Hostname()}
	}
	managed, err := certificates.NewManaged(c.mgr, certificates.Options{
		Secret:       types.NamespacedName{Namespace: o.Namespace, Name: o.Webhook.Secret},
		Service:      o.Webhook.Service.Name,
		ExtraHosts:   extra,
		Installation: o.Installation,
	})
	c.certificates = managed
	return err
}

func (c *controller) rules(context.Context) error {
	c.keeper = ruleset.NewKeeper(c.mgr.GetCache())
	return c.mgr.Add(c.keeper)
}

func (c *controller) discover(context.Context) error {
	var err error
	if c.discovery, err = discovery.New(c.mgr.GetConfig(), c.mgr.GetCache()); err != nil {
		return err
	}
	return c.mgr.Add(c.discovery)
}

func (c *controller) register(context.Context) error {
	o := c.options
	c.registrar = registration.NewRegistrar(c.mgr.GetClient(), c.mgr.GetAPIReader(), c.mgr.GetCache(), registration.Options{
		Endpoint:           registration.Endpoint{URL: o.Webhook.URL, Namespace: o.Namespace, Service: o.Webhook.Service.Name, Port: o.Webhook.Service.Port},
		Namespace:          o.Namespace,
		Installation:       o.Installation,
		TrustedControllers: o.TrustedControllers,
		Version:            Version(),
		Clock:              time.Now,
		Rules: func() (*policies.RuleSet, registration.NamespaceLabels) {
			compiled := c.keeper.Compiled()
			if compiled == nil {
				return nil, registration.NamespaceLabels{}
			}
			return compiled.Rules, registration.LabelsInUse(compiled.Source.Policies, compiled.Source.Waivers)
		},
		CABundle:            c.certificates.CABundle,
		Resources:           c.discovery.Resources,
		TemplatesFailClosed: o.Webhook.TemplatesFailurePolicy == string(admissionv1.Fail),
		Triggers:            []<-chan struct{}{c.keeper.Follow(), c.certificates.Changed(), c.discovery.Follow()},
	})
	status := ruleset.NewStatusWriter(c.keeper, c.mgr.GetClient(), time.Now, ruleset.Circumstances{
		Resources: func() []string {
			found, _ := c.discovery.Resources()
			return registration.Resources(found)
		},
		Registration: c.registrar.State,
		Skew:         func() (bool, time.Duration) { return c.skew.Skewed(), c.skew.Ahead() },
		Tally:        c.tally,
	}, c.registrar.Changed(), c.skewed, c.discovery.Follow(), c.tallied())
	c.presenter = &registration.Presenter{Client: c.mgr.GetClient(), Live: c.mgr.GetAPIReader(), CABundle: c.certificates.CABundle, Changed: c.certificates.Changed()}
	return errors.Join(c.mgr.Add(c.registrar), c.mgr.Add(c.presenter), c.mgr.Add(status))
}

func (c *controller) serve(ctx context.Context) error {
	clientset, err := kubernetes.NewForConfig(c.mgr.GetConfig())
	if err != nil {
		return err
	}
	self, err := clientset.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("asking the API server who this controller is: %w", err)
	}
	server := c.mgr.GetWebhookServer()
	server.Register(registration.PathWorkloads, c.drain.partWith(webhook.Serve(&webhook.Workloads{
		Rules:              c.keeper.Rules,
		Clock:              time.Now,
		Cache:              c.mgr.GetCache(),
		Live:               c.mgr.GetAPIReader(),
		Covered:            func(kind schema.GroupKind) bool { return workload.Builtin(kind) || c.discovery.Covers(kind) },
		TrustedControllers: c.options.TrustedControllers,
	})))
	server.Register(registration.PathKinds, c.drain.partWith(webhook.Serve(&webhook.Kinds{
		Cache:   c.mgr.GetCache(),
		Access:  clientset.AuthorizationV1().SubjectAccessReviews(),
		Self:    self.Status.UserInfo.Username,
		Clock:   time.Now,
		Preview: c.previewer(),
	})))
	return nil
}

// previewer answers from the audit where this replica audits.
func (c *controller) previewer() *preview.Previewer {
	p := preview.New(c.mgr.GetCache(), c.mgr.GetAPIReader(), time.Now)
	if c.auditor == nil {
		return p
	}
	p.Audited = func(limit int) (found []preview.Workload, all, ok bool) {
		known, all, ok := c.auditor.Workloads(limit)
		for _, w := range known {
			found = append(found, preview.Workload(w))
		}
		return found, all, ok
	}
	return p
}

func (c *controller) install(context.Context) error {
	live, err := client.New(c.mgr.GetConfig(), client.Options{Scheme: c.mgr.GetScheme(), Mapper: c.mgr.GetRESTMapper(), HTTPClient: c.mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfig(c.mgr.GetConfig())
	if err != nil {
		return err
	}
	o := c.options
	return errors.Join(
		c.mgr.Add(&builtin.Installer{
			Client:        live,
			Vendors:       o.Catalog.Vendors,
			DefaultPolicy: o.Catalog.DefaultPolicy,
			Marker:        builtin.Marker{Client: live, Namespace: o.Namespace, Name: o.Installation + "-state", Owner: o.Installation},
		}),
		c.mgr.Add(&declared.Keeper{
			Client:    live,
			Core:      clientset.CoreV1().RESTClient(),
			ConfigMap: types.NamespacedName{Namespace: o.Namespace, Name: o.Declared.ConfigMap},
			Recorder:  c.mgr.GetEventRecorder("embargo"),
			Triggers:  []<-chan struct{}{c.keeper.Follow()},
		}),
		c.ownLease(live),
	)
}

func (c *controller) ownLease(live client.Client) error {
	if c.options.LeaderElection.Disabled {
		return nil
	}
	name := types.NamespacedName{Namespace: c.options.Namespace, Name: c.options.LeaderElection.Name}
	return c.mgr.Add(&installation.Lease{Client: live, Name: name, Owner: c.options.Installation})
}

var errNoRuleSet = errors.New("no rule set is compiled yet")

// checks adds /healthz and /readyz: ready is a replica that can answer.
func (c *controller) checks(context.Context) error {
	return errors.Join(
		c.mgr.AddHealthzCheck("ping", healthz.Ping),
		c.mgr.AddReadyzCheck("rule-set", func(*http.Request) error {
			if c.keeper.Rules() == nil {
				return errNoRuleSet
			}
			return nil
		}),
		c.mgr.AddReadyzCheck("certificate", c.certificates.Check),
		c.mgr.AddReadyzCheck("presented", c.presenter.Check),
		c.mgr.AddReadyzCheck("webhook", c.mgr.GetWebhookServer().StartedChecker()),
		c.mgr.AddReadyzCheck("draining", c.drain.check),
	)
}
