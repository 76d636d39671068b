package declared

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"embargo.dev/internal/display"
	"embargo.dev/internal/logging"
	"embargo.dev/internal/trigger"
)

const (
	// maxProblem keeps a problem within what an event holds beside a key.
	maxProblem = 700
	// FieldManager is the name under which declared objects are applied.
	FieldManager = "embargo-values"
	// listLabel marks them.
	listLabel  = "embargo.dev/list"
	listValues = "values"
)

const (
	// resync is how often the objects are looked over without any cause.
	resync = 5 * time.Minute
	// retryAfter is the pause after the API server could not be asked.
	retryAfter = 5 * time.Second
)

// Keeper keeps the objects that a ConfigMap declares. It runs on the leader.
type Keeper struct {
	Client    client.Client        // reads live, so that nothing is cached for it
	Core      rest.Interface       // of the core group, to watch the one ConfigMap
	ConfigMap types.NamespacedName // that declares the objects
	Recorder  events.EventRecorder // tells on the ConfigMap what is not as it says
	// Triggers tell that objects of Embargo's kinds changed.
	Triggers []<-chan struct{}

	told map[string]string // problems by key, as last told
}

// NeedLeaderElection says that one replica writes.
func (k *Keeper) NeedLeaderElection() bool { return true }

// Start keeps the objects until the context ends.
func (k *Keeper) Start(ctx context.Context) error {
	wake := trigger.New()
	wake.Follow(ctx, k.Triggers...)
	go k.watch(ctx, wake)
	for {
		pause := resync
		if err := k.keep(ctx); err != nil {
			logf.FromContext(ctx).Error(err, "what the values declare can't be brought up to date; trying again", "configMap", k.ConfigMap)
			pause = retryAfter
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(pause):
		}
	}
}

// watch wakes the loop whenever the ConfigMap changes. It watches that one by name, and
// no other.
func (k *Keeper) watch(ctx context.Context, wake trigger.Trigger) {
	byName := fields.OneTermEqualSelector(metav1.ObjectNameField, k.ConfigMap.Name)
	_, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: toolscache.NewListWatchFromClient(k.Core, "configmaps", k.ConfigMap.Namespace, byName),
		ObjectType:    &corev1.ConfigMap{},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { wake.Fire() },
			UpdateFunc: func(any, any) { wake.Fire() },
		},
	})
	informer.RunWithContext(ctx)
}

// tell tells what is not as the values say: in the log and by an event where it is new,
// and as a metric.
func (k *Keeper) tell(ctx context.Context, configMap *corev1.ConfigMap, problems []problem) {
	count(configMap, problems)
	telling := map[string]string{}
	for _, p := range problems {
		telling[p.key] = p.err.Error()
		if k.told[p.key] == p.err.Error() {
			continue
		}
		logging.Warn(ctx, "an object is not as the values say", "entry", p.key, "reason", p.err.Error())
		// Events about the same objects are told as one, whatever they say: the related
		// object keeps the entries apart.
		k.Recorder.Eventf(configMap, p.about(), corev1.EventTypeWarning, p.reason(), "KeepValues", "%s: %s", p.key, display.Truncate(p.err.Error(), maxProblem))
	}
	for key := range k.told {
		if _, still := telling[key]; !still {
			logf.FromContext(ctx).Info("an object is as the values say again", "entry", key)
		}
	}
	k.told = telling
}
