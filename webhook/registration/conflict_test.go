package registration

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"embargo.dev/webhook/exemption"
)

var ownEndpoint = Endpoint{Namespace: "embargo-system", Service: "embargo-webhook", Port: 443}

// written is the configuration as an installation of a name writes it.
func written(t *testing.T, installation, namespace string) *admissionv1.ValidatingWebhookConfiguration {
	t.Helper()
	endpoint := ownEndpoint
	endpoint.Namespace = namespace
	d := &desired{endpoint: endpoint, namespace: namespace, owner: &owner{installation, "uid"}, exemptions: &exemption.Rules{}, version: "v1.0.0", caBundle: []byte("ca")}
	configuration, err := typed(d.configuration())
	require.NoError(t, err)
	return configuration
}

func TestASecondInstallationIsKnownByOwnerAndEndpoint(t *testing.T) {
	unowned, bare := written(t, "first", "other"), written(t, "first", "other")
	unowned.OwnerReferences, bare.Webhooks = nil, nil
	for name, c := range map[string]struct {
		current *admissionv1.ValidatingWebhookConfiguration
		held    bool
	}{
		"this one's":                           {written(t, "embargo", "embargo-system"), false},
		"this one's, at another endpoint":      {written(t, "embargo", "other"), false},
		"this one's, by the name it had":       {written(t, "embargo-before", "embargo-system"), false},
		"another's":                            {written(t, "first", "other"), true},
		"nobody's":                             {unowned, false},
		"another's, with nothing that it asks": {bare, false},
	} {
		_, held := heldByOther(c.current, "embargo", ownEndpoint)
		assert.Equal(t, c.held, held, name)
	}
	url := "https://localhost:1/validate"
	at := admissionv1.WebhookClientConfig{URL: &url}
	assert.True(t, Endpoint{URL: "https://localhost:1"}.is(at))
	assert.False(t, Endpoint{URL: "https://localhost:12"}.is(at))
	assert.False(t, ownEndpoint.is(at))
}

// TestASecondInstallationStandsBack until the first one's configuration is gone for long
// enough that nobody is left to write it again.
func TestASecondInstallationStandsBack(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	r := &Registrar{options: Options{Installation: "embargo", Endpoint: ownEndpoint, Clock: func() time.Time { return now }}}
	require.Empty(t, r.standBack(nil), "nobody was there before")
	others := written(t, "first", "other")
	require.Equal(t, `the installation of ClusterRole "first", which serves at Service other/embargo-webhook, has the webhook configuration; uninstall one of the two installations`,
		r.standBack(others))
	require.Contains(t, r.standBack(nil), "writes its own at 2026-05-04T03:02:11Z")
	now = now.Add(takeOverAbsent - time.Nanosecond)
	require.NotEmpty(t, r.standBack(nil))
	require.NotEmpty(t, r.standBack(others), "the first one repaired it")
	require.NotEmpty(t, r.standBack(nil))
	now = now.Add(takeOverAbsent)
	require.Empty(t, r.standBack(nil))
	r.written = written(t, "embargo", "embargo-system")
	assert.Empty(t, r.standBack(others), "what this leader wrote it repairs, whoever it is made to look like")
}

// TestAPauseLeavesAnotherInstallationAlone: the annotation is on this one's namespace.
func TestAPauseLeavesAnotherInstallationAlone(t *testing.T) {
	for installation, left := range map[string]bool{"first": true, "embargo": false} {
		cluster := fake.NewClientBuilder().WithObjects(written(t, installation, "other")).Build()
		r := &Registrar{options: Options{Installation: "embargo", Endpoint: ownEndpoint}, client: cluster, live: cluster}
		require.NoError(t, r.withdraw(t.Context()))
		current, err := r.current(t.Context())
		require.NoError(t, err)
		assert.Equal(t, left, current != nil, installation)
	}
}

func TestRepairsAreWhatOthersChanged(t *testing.T) {
	now := time.Now()
	first, second := newCA(t, 1, now.Add(-time.Hour), now.Add(time.Hour)), newCA(t, 2, now.Add(-time.Hour), now.Add(time.Hour))
	own := written(t, "embargo", "embargo-system")
	for i := range own.Webhooks {
		own.Webhooks[i].ClientConfig.CABundle = first
	}
	assert.False(t, changedByOthers(own, nil), "another leader wrote it")
	assert.False(t, changedByOthers(nil, nil))
	assert.True(t, changedByOthers(nil, own), "it was deleted")
	for name, c := range map[string]struct {
		change func(*admissionv1.ValidatingWebhookConfiguration)
		want   bool
	}{
		"nothing": {func(*admissionv1.ValidatingWebhookConfiguration) {}, false},
		"a label": {func(c *admissionv1.ValidatingWebhookConfiguration) { c.Labels = map[string]string{"a": "b"} }, false},
		"another replica's CA": {func(c *admissionv1.ValidatingWebhookConfiguration) {
			c.Webhooks[0].ClientConfig.CABundle = slices.Concat(second, first)
		}, false},
		"the CA":         {func(c *admissionv1.ValidatingWebhookConfiguration) { c.Webhooks[0].ClientConfig.CABundle = second }, true},
		"an entry":       {func(c *admissionv1.ValidatingWebhookConfiguration) { c.Webhooks = c.Webhooks[1:] }, true},
		"one more entry": {func(c *admissionv1.ValidatingWebhookConfiguration) { c.Webhooks = append(c.Webhooks, c.Webhooks[0]) }, true},
		"a condition":    {func(c *admissionv1.ValidatingWebhookConfiguration) { c.Webhooks[0].MatchConditions = nil }, true},
		"the owner":      {func(c *admissionv1.ValidatingWebhookConfiguration) { c.OwnerReferences = []metav1.OwnerReference{} }, true},
		"the failure policy": {func(c *admissionv1.ValidatingWebhookConfiguration) {
			ignore := admissionv1.Ignore
			c.Webhooks[len(c.Webhooks)-1].FailurePolicy = &ignore
		}, true},
	} {
		current := own.DeepCopy()
		c.change(current)
		assert.Equal(t, c.want, changedByOthers(current, own), name)
	}
}

// TestALeaderWakesWhenAWaiverExpires: from then on nobody needs a right to enter it.
func TestALeaderWakesWhenAWaiverExpires(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	r := &Registrar{options: Options{Clock: func() time.Time { return now }}, exemptions: &exemption.Rules{}}
	assert.Equal(t, resync, r.untilNextRound())
	r.exemptions = rulesUntil(now.Add(20 * time.Second))
	assert.Equal(t, 20*time.Second, r.untilNextRound())
	now = now.Add(time.Minute)
	assert.Zero(t, r.untilNextRound())
}
