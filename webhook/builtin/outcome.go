package builtin

import (
	"context"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"embargo.dev/internal/logging"
	"embargo.dev/policies/v1alpha1"
)

// state says how a vendor of the built-in list stands in the cluster.
type state string

const (
	stateManaged    state = "managed"    // as the list says
	stateChanged    state = "changed"    // somebody changed it, and it is left as it is
	stateNewer      state = "newer"      // of a newer version of the list than this one
	stateForeign    state = "foreign"    // an object of the same name that isn't the list's
	stateDeselected state = "deselected" // no longer selected, and kept until somebody deletes it
	stateFailed     state = "failed"     // it couldn't be read or applied
)

// messages say what each state means; the log has them.
var messages = map[state]string{
	stateManaged:    "a built-in vendor is as the list says",
	stateChanged:    "a built-in vendor was changed by someone else and is left as it is",
	stateNewer:      "a built-in vendor is of a newer version of the list and is left as it is",
	stateForeign:    "a vendor has the name of a built-in one but not its label and version; it is left as it is, and the list doesn't update it",
	stateDeselected: "a built-in vendor is no longer named in catalog.vendors and stays in force; delete it if that is meant",
}

// outcome is a state with what the log says about it.
type outcome struct {
	state   state
	reason  string
	command string
}

var vendorStates = prometheus.NewGaugeVec(prometheus.GaugeOpts{
	Name: "embargo_catalog_vendors",
	Help: "Vendors of the built-in list, by their state in the cluster as the leader sees it; always 1.",
}, []string{"vendor", "state"})

func init() { metrics.Registry.MustRegister(vendorStates) }

// report exposes the states as metrics and logs those that are new.
func (i *Installer) report(ctx context.Context, outcomes map[string]outcome) {
	vendorStates.Reset()
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[name]
		if o.state == "" {
			continue // it is being deleted, and was never looked at before
		}
		vendorStates.WithLabelValues(name, string(o.state)).Set(1)
		if i.reported[name] != o {
			o.log(ctx, name)
		}
	}
	i.reported = outcomes
}

// reportFailure says of every wanted vendor that nobody knows how it stands.
func (i *Installer) reportFailure(ctx context.Context, vendors []v1alpha1.RestrictedVendor) {
	outcomes := map[string]outcome{}
	for at := range vendors {
		if i.Vendors.Has(vendors[at].Name) {
			outcomes[vendors[at].Name] = outcome{state: stateFailed}
		}
	}
	i.report(ctx, outcomes)
}

// log logs a state, but for a failure, which is returned as an error too.
func (o outcome) log(ctx context.Context, vendor string) {
	values := []any{"vendor", vendor}
	if o.reason != "" {
		values = append(values, "reason", o.reason)
	}
	if o.command != "" {
		values = append(values, "command", o.command)
	}
	switch o.state {
	case stateFailed:
	case stateForeign, stateDeselected:
		logging.Warn(ctx, messages[o.state], values...)
	default:
		logf.FromContext(ctx).Info(messages[o.state], values...)
	}
}
