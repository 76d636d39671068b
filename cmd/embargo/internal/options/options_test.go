package options_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"embargo.dev/cmd/embargo/internal/options"
	"embargo.dev/policies/catalog"
)

func complete(t *testing.T, config string, args ...string) (*options.Options, error) {
	t.Helper()
	o := options.New()
	fs := pflag.NewFlagSet("embargo", pflag.ContinueOnError)
	o.AddFlags(fs)
	if config != "" {
		path := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
		args = append(args, "--config="+path)
	}
	require.NoError(t, fs.Parse(args))
	return o, o.Complete()
}

const head = "apiVersion: embargo.dev/v1alpha1\nkind: EmbargoConfiguration\n"

func TestFlagsGoBeforeTheFileAndTheFileBeforeTheDefaults(t *testing.T) {
	o, err := complete(t, head+"webhook: {port: 1234, url: 'https://localhost:1234'}\ncatalog: {vendors: [kaspersky]}\ndrainPeriod: 7s\n", "--webhook-port=4321")
	require.NoError(t, err)
	require.NoError(t, o.Validate())
	assert.Equal(t, 4321, o.Webhook.Port)
	assert.Equal(t, "https://localhost:1234", o.Webhook.URL)
	assert.Equal(t, "embargo-webhook", o.Webhook.Service.Name, "what the file doesn't name keeps its default")
	assert.Equal(t, catalog.Selection{"kaspersky"}, o.Catalog.Vendors)
	assert.Equal(t, 7*time.Second, o.DrainPeriod.Duration)
}

func TestTheFileIsReadStrictly(t *testing.T) {
	for config, says := range map[string]string{
		head + "webhok: {port: 1}\n":                      `unknown field "webhok"`,
		head + "webhook: {prot: 1}\n":                     `unknown field "webhook.prot"`,
		head + "Namespace: other\n":                       `unknown field "Namespace"`,
		head + "---\n" + head + "namespace: other\n":      "it has 2 documents",
		"# nothing\n":                                     "apiVersion and kind are",
		head + "drainPeriod: 5\n":                         "drainPeriod",
		head + "drainPeriod: soon\n":                      `drainPeriod: "soon" is not a duration`,
		"- a\n":                                           "cannot unmarshal",
		"apiVersion: v1\nkind: ConfigMap\n":               `want "embargo.dev/v1alpha1" and "EmbargoConfiguration"`,
		"webhook: {port: 1}\n":                            "apiVersion and kind are",
		head + "webhook: {port: many}\n":                  "webhook.port",
		head + "webhook: {port: 1}\nwebhook: {port: 2}\n": `key "webhook" already set`,
	} {
		_, err := complete(t, config)
		require.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "--config ")
	}
}

// TestTheDocsNameEveryKey compares keys, so that a setting without its line in the docs is
// found; the chart's test holds its schema to the same page.
func TestTheDocsNameEveryKey(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "configuration.md"))
	require.NoError(t, err)
	_, block, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	o, err := complete(t, block)
	require.NoError(t, err)
	require.NoError(t, o.Validate())
	assert.Equal(t, options.Default(), normalised(o.Config), "it shows the defaults")
	var shown map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(block), &shown))
	assert.Equal(t, keys(reflect.TypeFor[options.Config]()), named(shown))
}

// normalised has no empty list where the defaults have none.
func normalised(c options.Config) options.Config {
	for _, list := range []*[]string{&c.TrustedControllers, &c.Webhook.ClientSubjects, &c.Webhook.TLS.CipherSuites} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return c
}

// keys returns the keys of a setting, with those of its parts.
func keys(setting reflect.Type) map[string]any {
	found := map[string]any{}
	for field := range setting.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		found[key] = nil
		if field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[options.DrainPeriod]() {
			found[key] = keys(field.Type)
		}
	}
	return found
}

// named returns the keys that a config file has, in the same form.
func named(content map[string]any) map[string]any {
	found := map[string]any{}
	for key, value := range content {
		found[key] = nil
		if parts, ok := value.(map[string]any); ok {
			found[key] = named(parts)
		}
	}
	return found
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for arg, says := range map[string]string{
		"--namespace=Embargo_System":        "namespace: ",
		"--webhook-port=70000":              "webhook.port: 70000 is not a port",
		"--webhook-url=http://localhost":    "webhook.url: ",
		"--webhook-url=https://localhost/x": "webhook.url: ",
		"--tls-min-version=1.3":             `webhook.tls.minVersion: "1.3" is not a TLS version; want VersionTLS12 or VersionTLS13`,
		"--tls-cipher-suites=RC4":           `webhook.tls.cipherSuites: "RC4" is not a cipher suite`,
		"--webhook-client-subjects=a":       "webhook.clientSubjects: nobody's name is verified without webhook.clientCA",
		"--report-api=policy":               `reportAPI: "policy"; want auto, openreports, wgpolicy or none`,
		"--log-level=loud":                  "logging.level: ",
		"--log-format=xml":                  "logging.format: ",
		"--installation=":                   "installation: ",
		"--webhook-secret=My_Secret":        "webhook.secret: ",
		"--webhook-service-port=0":          "webhook.service.port: 0 is not a port",
		"--declared-config-map=":            "declared.configMap: ",
		"--leader-election-name=":           "leaderElection.name: ",
		"--metrics-bind-address=8080":       "metrics.bindAddress: ",
		"--health-bind-address=:http":       "health.bindAddress: ",
		"--drain-period=-1s":                "drainPeriod: ",
		"--catalog-vendors=kasperski":       `catalog.vendors[0]: no built-in vendor is named "kasperski"`,
		"--catalog-vendors=*,!kasperski":    `catalog.vendors[1]: no built-in vendor is named "kasperski"`,
		"--catalog-vendors=!kaspersky":      `catalog.vendors[0]: "!kaspersky" leaves a vendor out of "*", which is not there`,
		"--trusted-controllers=,jane":       "trustedControllers[0]: ",
	} {
		o, err := complete(t, "", arg)
		require.NoError(t, err)
		require.ErrorContains(t, o.Validate(), says, arg)
	}
}

// TestEverySettingHasAFlag: what can be said in the file can be said on the command line.
func TestEverySettingHasAFlag(t *testing.T) {
	o := options.New()
	fs := pflag.NewFlagSet("embargo", pflag.ContinueOnError)
	o.AddFlags(fs)
	samples := map[string]string{"string": "other", "stringSlice": "a,b", "int": "7", "int32": "7", "duration": "7s"}
	fs.VisitAll(func(f *pflag.Flag) {
		sample, ok := samples[f.Value.Type()]
		if f.Value.Type() == "bool" {
			sample, ok = strconv.FormatBool(f.DefValue == "false"), true
		}
		require.True(t, ok, f.Name)
		if f.Name != "config" {
			require.NoError(t, fs.Set(f.Name, sample))
		}
	})
	require.NoError(t, o.Complete())
	var same func(path string, a, b reflect.Value)
	same = func(path string, a, b reflect.Value) {
		for i := range a.NumField() {
			at := path + a.Type().Field(i).Name
			if a.Field(i).Kind() == reflect.Struct {
				same(at+".", a.Field(i), b.Field(i))
			} else if at != "APIVersion" && at != "Kind" {
				assert.NotEqual(t, a.Field(i).Interface(), b.Field(i).Interface(), at)
			}
		}
	}
	same("", reflect.ValueOf(options.Default()), reflect.ValueOf(o.Config))
}
