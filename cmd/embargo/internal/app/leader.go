package app

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"embargo.dev/webhook/installation"
)

// lockTimeout bounds a request for the lease. It is half of the ten seconds in which a leader
// has to renew, so that one request that hangs doesn't cost the lead.
const lockTimeout = 5 * time.Second

// lock returns the lock by which replicas choose their leader.
func (c *controller) lock(config *rest.Config) (resourcelock.Interface, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	config.Timeout = lockTimeout
	client, err := coordinationv1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	return installation.NewLeaseLock(client, c.options.Namespace, c.options.LeaderElection.Name, resourcelock.ResourceLockConfig{
		Identity:      host + "_" + string(uuid.NewUUID()),
		EventRecorder: leaderEvents{c},
	}), nil
}

// leaderEvents records the events of leader election by the manager, which exists only after
// the lock.
type leaderEvents struct{ controller *controller }

// Eventf records an event on the lease.
func (e leaderEvents) Eventf(lease runtime.Object, kind, reason, message string, args ...any) {
	e.controller.mgr.GetEventRecorder("embargo").Eventf(lease, nil, kind, reason, "Elect", message, args...)
}
