package declared

import (
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	objects = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_declared_objects",
		Help: "Objects that the installation's values declare and that are as they say, as the leader sees it.",
	})
	problemCount = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "embargo_declared_problems",
		Help: "Objects that are not as the installation's values say, as the leader sees it; the log and events name them.",
	})
)

func init() { metrics.Registry.MustRegister(objects, problemCount) }

func count(configMap *corev1.ConfigMap, problems []problem) {
	asDeclared := len(configMap.Data)
	for _, p := range problems {
		if _, declared := configMap.Data[p.key]; declared {
			asDeclared--
		}
	}
	objects.Set(float64(asDeclared))
	problemCount.Set(float64(len(problems)))
}
