package certificates

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Options name the Secret that holds the certificates, and the hosts that they are for.
type Options struct {
	Secret     types.NamespacedName
	Service    string   // of the webhook, in the Secret's namespace
	ExtraHosts []string // further names that the API server may call
}

// Managed serves the certificate of a Secret that the leader fills and rotates. The Secret
// comes with the installation, empty: whoever may create a Secret of any name can have a
// token of any service account of the namespace written into it, and so the controller may
// not. Every replica watches that one Secret, by name. A certificate is in use as soon as it
// is written, without waiting for a mounted volume to follow, and outside a cluster too.
type Managed struct {
	*Server

	options Options
	secrets kubernetes.Interface
	dir     string      // where the rotator looks for the files it wrote
	missing atomic.Bool // whether the Secret is known not to exist
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
	m := &Managed{Server: &Server{changeover: changeover}, options: o, secrets: clientset, dir: dir}
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

// Check is a readiness check. Without a certificate it names the command that helps, where
// the Secret is missing.
func (m *Managed) Check(request *http.Request) error {
	err := m.Server.Check(request)
	if err != nil && m.missing.Load() {
		return m.errMissing()
	}
	return err
}

// errMissing names the command that creates the Secret.
func (m *Managed) errMissing() error {
	secret := m.options.Secret
	return fmt.Errorf("there is no Secret %s for the serving certificate, and the controller may not create it; create it empty, and the controller fills it: kubectl -n %s create secret generic %s",
		secret, secret.Namespace, secret.Name)
}

// Start follows the Secret until the context ends.
func (m *Managed) Start(ctx context.Context) error {
	defer os.RemoveAll(m.dir) //nolint:errcheck // a temporary folder
	byName := fields.OneTermEqualSelector(metav1.ObjectNameField, m.options.Secret.Name)
	listWatch := toolscache.NewListWatchFromClient(m.secrets.CoreV1().RESTClient(), "secrets", m.options.Secret.Namespace, byName)
	store, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: listWatch,
		ObjectType:    &corev1.Secret{},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { m.take(ctx, object) },
			UpdateFunc: func(_, object any) { m.take(ctx, object) },
			DeleteFunc: func(any) { m.miss(ctx) },
		},
	})
	go func() {
		if toolscache.WaitForCacheSync(ctx.Done(), informer.HasSynced) && len(store.ListKeys()) == 0 {
			m.miss(ctx)
		}
	}()
	informer.RunWithContext(ctx)
	return nil
}

// miss remembers and logs that there is no Secret. A certificate that is in use stays in use.
func (m *Managed) miss(ctx context.Context) {
	m.missing.Store(true)
	logf.FromContext(ctx).Error(m.errMissing(), "certificates can't be kept", "serving", m.Server.Check(nil) == nil)
}

// take takes the Secret's certificate into use, once the rotator has filled it in.
func (m *Managed) take(ctx context.Context, object any) {
	secret, ok := object.(*corev1.Secret)
	m.missing.Store(false)
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
