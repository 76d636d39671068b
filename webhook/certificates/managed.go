package certificates

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/webhook/installation"
	"embargo.dev/webhook/trigger"
)

// Options say which Secret holds the certificates and whom they name.
type Options struct {
	Secret       types.NamespacedName
	Service      string   // of the webhook, in the Secret's namespace
	ExtraHosts   []string // further names that the API server may call
	Installation string   // ClusterRole that owns the Secret
}

// Managed serves the certificate of a Secret that the leader fills and rotates.
// Every replica watches that one Secret, by name, and no other; a certificate is in
// use as soon as it is written, without waiting for a mounted volume to follow, and
// outside a cluster too.
type Managed struct {
	*Server

	options Options
	client  client.Client
	live    client.Reader
	secrets kubernetes.Interface
	dir     string // where the rotator looks for the files it wrote
}

// NewManaged adds the rotation of certificates to the manager.
func NewManaged(mgr ctrl.Manager, o Options) (*Managed, error) {
	clientset, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "embargo-certificates-")
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	m := &Managed{Server: &Server{changeover: changeover}, options: o, client: mgr.GetClient(), live: mgr.GetAPIReader(), secrets: clientset, dir: dir}
	if err := mgr.Add(m); err != nil {
		return nil, err
	}
	return m, rotator.AddRotator(scope(mgr, o.Secret), &rotator.CertRotator{
		SecretKey:             o.Secret,
		CertDir:               dir,
		CAName:                "embargo-ca",
		CAOrganization:        "embargo",
		DNSName:               fmt.Sprintf("%s.%s.svc", o.Service, o.Secret.Namespace),
		ExtraDNSNames:         o.ExtraHosts,
		IsReady:               make(chan struct{}),
		RequireLeaderElection: true,
	})
}

// NeedLeaderElection says that every replica serves.
func (m *Managed) NeedLeaderElection() bool { return false }

// Start makes sure that there is a Secret to fill, and follows it until the context
// ends.
func (m *Managed) Start(ctx context.Context) error {
	defer os.RemoveAll(m.dir) //nolint:errcheck // a temporary folder
	m.untilEnsured(ctx, m.ensureSecret)
	deleted := trigger.New()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-deleted:
				m.untilEnsured(ctx, m.restoreSecret)
			}
		}
	}()
	byName := fields.OneTermEqualSelector(metav1.ObjectNameField, m.options.Secret.Name)
	listWatch := toolscache.NewListWatchFromClient(m.secrets.CoreV1().RESTClient(), "secrets", m.options.Secret.Namespace, byName)
	_, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: listWatch,
		ObjectType:    &corev1.Secret{},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { m.take(ctx, object) },
			UpdateFunc: func(_, object any) { m.take(ctx, object) },
			DeleteFunc: func(any) { deleted.Fire() },
		},
	})
	informer.RunWithContext(ctx)
	return nil
}

// untilEnsured tries until it succeeds or the context ends.
func (m *Managed) untilEnsured(ctx context.Context, ensure func(context.Context) error) {
	for {
		err := ensure(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		logf.FromContext(ctx).Error(err, "no Secret for certificates yet; trying again", "secret", m.options.Secret)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// restoreSecret creates the Secret again that somebody deleted, which is how people ask
// for another certificate. Where it went with the installation it stays away.
func (m *Managed) restoreSecret(ctx context.Context) error {
	owners, err := installation.Owners(ctx, m.live, m.options.Installation)
	if err != nil || len(owners) == 0 {
		return err
	}
	return m.ensureSecret(ctx)
}

// ensureSecret creates the Secret, empty, where it isn't there: the rotator fills
// one that it finds.
func (m *Managed) ensureSecret(ctx context.Context) error {
	var secret corev1.Secret
	err := m.live.Get(ctx, m.options.Secret, &secret)
	if !apierrors.IsNotFound(err) {
		return err
	}
	owners, err := installation.Owners(ctx, m.live, m.options.Installation)
	if err != nil {
		return err
	}
	secret = corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: m.options.Secret.Name, Namespace: m.options.Secret.Namespace, OwnerReferences: owners}}
	if err := m.client.Create(ctx, &secret); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// take takes the Secret's certificate into use, once the rotator has filled it in.
func (m *Managed) take(ctx context.Context, object any) {
	secret, ok := object.(*corev1.Secret)
	if !ok || len(secret.Data[corev1.TLSCertKey]) == 0 {
		return
	}
	log := logf.FromContext(ctx).WithValues("secret", m.options.Secret)
	if err := m.use(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey], secret.Data["ca.crt"]); err != nil {
		log.Error(err, "the Secret's certificate can't be used; the one before stays in use")
		return
	}
	// The rotator calls certificates ready when it finds them in its folder.
	if err := os.WriteFile(filepath.Join(m.dir, corev1.TLSCertKey), secret.Data[corev1.TLSCertKey], 0o600); err != nil {
		log.Error(err, "certificates")
	}
	log.Info("serving certificate in use")
}
