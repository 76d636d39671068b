package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"embargo.dev/policies"
	"embargo.dev/policies/catalog"
	"embargo.dev/policies/v1alpha1"
	"embargo.dev/policies/workload"
)

// TestRealNamesAreFound has a name, or more, for each pattern of each vendor, in
// spellings that are in use.
func TestRealNamesAreFound(t *testing.T) {
	found := recogniser(t)
	for image, want := range map[string]string{
		"repo.kcs.kaspersky.com/images/scanner:v2.4.0-with-db":                          "kaspersky Confirmed",
		"repo.kcs.kaspersky.com/charts/kcs":                                             "kaspersky Confirmed",
		"REPO.kcs.kaspersky.com:443/images/node-agent":                                  "kaspersky Confirmed",
		"kaspersky/scanengine_httpd:2.1":                                                "kaspersky Confirmed",
		"index.docker.io/kaspersky/scanengine_icapd":                                    "kaspersky Confirmed",
		"mirror.gcr.io/kaspersky/scanengine_httpd":                                      "kaspersky Confirmed",
		"registry.kaspersky.com/x":                                                      "kaspersky Suspected",
		"products.s.kaspersky-labs.com/x":                                               "kaspersky Suspected",
		"kaspersky":                                                                     "kaspersky Suspected",
		"kaspersky/gengine":                                                             "kaspersky Suspected",
		"tabledevil/kaspersky":                                                          "kaspersky Suspected",
		"saferwall/kaspersky":                                                           "kaspersky Suspected",
		"saferwall/gokaspersky":                                                         "kaspersky Suspected",
		"malice/kaspersky:latest":                                                       "kaspersky Suspected",
		"dron995/kesl-standalone":                                                       "kaspersky Suspected",
		"harbor.example.com/security/scanengine_httpd:2.1":                              "kaspersky Suspected",
		"localhost:5000/scanengine_icapd":                                               "kaspersky Suspected",
		"swr.cn-north-4.myhuaweicloud.com/hwofficial/everest:2.1.38":                    "huawei Confirmed",
		"swr.cn-north-1.myhuaweicloud.com/hwofficial/csi-driver-sfs:v2.3.0":             "huawei Confirmed",
		"swr.cn-north-12.myhuaweicloud.com/hwofficial/npu-exporter:2.3.2":               "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/hwofficial/coredns:1.30.67":                   "huawei Suspected",
		"swr.cn-north-4.myhuaweicloud.com/huawei-css/huawei-csi:4.6.0":                  "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/huawei-css/storage-backend-controller:4.6.0":  "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/huawei-css/storage-backend-sidecar:4.6.0":     "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/huawei-css/huawei-csi-extender:4.6.0":         "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/k8s-csi/evs-csi-plugin:v0.1.4":                "huawei Confirmed",
		"swr.cn-north-4.myhuaweicloud.com/k8s-csi/obs-csi-plugin":                       "huawei Confirmed",
		"huaweicloud/evs-csi-plugin":                                                    "huawei Confirmed",
		"swr.cn-south-1.myhuaweicloud.com/ascendhub/cann:8.0":                           "huawei Confirmed",
		"swr.cn-south-1.myhuaweicloud.com/ascendhub/mindie":                             "huawei Confirmed",
		"swr.cn-south-1.myhuaweicloud.com/ascendhub/mindspeed-llm":                      "huawei Confirmed",
		"quay.io/ascend/cann:8.5":                                                       "huawei Confirmed",
		"quay.io/ascend/vllm-ascend:v0.9":                                               "huawei Suspected",
		"ghcr.io/mono-of-pg/esdk-k8s-plugin/huawei-csi":                                 "huawei Suspected",
		"ghcr.io/adfinis/huawei-csi-plugin":                                             "huawei Suspected",
		"adfinis/huawei-csi-plugin/huawei-csi:4.6.0":                                    "huawei Suspected",
		"ylmegvii/hik_camera":                                                           "hikvision Suspected",
		"ccr.ccs.tencentyun.com/tkeimages/tke-cni-agent:v0.0.7":                         "tencent Confirmed",
		"ccr.ccs.tencentyun.com/tkeimages/coredns:1.7.0":                                "tencent Suspected",
		"ccr.ccs.tencentyun.com/tkeimages/nginx-ingress-controller:v1.9.5":              "tencent Suspected",
		"m.daocloud.io/ccr.ccs.tencentyun.com/tkeimages/tke-bridge-agent":               "tencent Confirmed",
		"m.daocloud.io/swr.cn-north-4.myhuaweicloud.com/hwofficial/everest-csi-x:2.1.0": "huawei Suspected",
	} {
		assert.Equal(t, []string{want}, found(image), image)
	}
}

// TestNamesThatMerelyResembleAreNot has what a careless pattern would find: public
// clouds' registries, mirrors, foundations' projects, words that contain a vendor's
// name.
func TestNamesThatMerelyResembleAreNot(t *testing.T) {
	found := recogniser(t)
	for _, image := range []string{
		// Kong's and another project's Kuma, and what has a base name of Kaspersky's.
		"kumahq/kuma-cp:2.7.0", "docker.io/louislam/uptime-kuma:1", "kong/kuma", "quay.io/kubescape/node-agent:v0.2", "minio/minio", "nats",
		"kasperskylab/kaspresso", "ghcr.io/kasperskylab/klogga", "websoft9/kaspersky-template", "scanengine_httpd.example.com/x", "example.com/scanengine_http",
		"repo.kcs.kaspersky.com.evil.example/images/scanner", "kaspersky.com.evil.example/x", "docker.io.evil.example/kasperskyx/y", "notkaspersky.com/x",
		// The registry of a public cloud is its customers'.
		"swr.cn-north-4.myhuaweicloud.com/ddn-k8s/docker.io/library/nginx:1.27", "swr.cn-north-4.myhuaweicloud.com/museecho/app", "swr.cn-east-3.myhuaweicloud.com/pancake/openclaw-sandbox",
		"swr.cn-north-4.myhuaweicloud.com/ddn-k8s/ghcr.io/acme/huawei-csi", "swr.evil.cn-north-4.myhuaweicloud.com/hwofficial/everest", "example.com/hwofficial/everest",
		"ccr.ccs.tencentyun.com/acme/app", "hkccr.ccs.tencentyun.com/tkeimages-fan/x", "registry.cn-hangzhou.aliyuncs.com/google_containers/pause:3.9", "registry.aliyuncs.com/google_containers/coredns",
		// Foundations' and communities' projects.
		"openeuler/openeuler:24.03", "kubeedge/cloudcore", "volcanosh/vc-scheduler", "docker.io/karmada/karmada-controller-manager", "opengauss/opengauss", "quay.io/ascender/x", "ascend/cann-fan",
		// Words and bystanders.
		"aztec/app", "aztecprotocol/aztec", "zte-exporter/x", "acme/hikvision-to-mqtt", "ghcr.io/acme/hikvision-exporter", "acme/dahua-mqtt", "blakeblackshear/frigate", "acme/tencentdb-exporter",
		// Not shipped.
		"ghcr.io/bytedance/deer-flow-backend", "bytedance/sdxl-lightning-4step", "ghcr.io/volcengine/openviking", "vke-cn-beijing.cr.volces.com/vke/cello", "vllm/vllm-openai:deepseek", "ollama/deepseek-r1",
	} {
		assert.Empty(t, found(image), image)
	}
}

// recogniser returns a function that names the vendors of an image with their
// confidence, whatever the audience.
func recogniser(t *testing.T) func(image string) []string {
	t.Helper()
	vendors, err := catalog.Vendors()
	require.NoError(t, err)
	everybody := catalog.DefaultPolicy()
	for _, v := range vendors {
		for _, r := range v.Spec.Restrictions {
			everybody.Spec.Audiences = append(everybody.Spec.Audiences, r.Audience)
		}
	}
	rules, problems := policies.Compile(policies.Source{Vendors: vendors, Policies: []v1alpha1.VendorPolicy{everybody}})
	require.Empty(t, problems)
	end, err := policies.ParseInstant("2027-12-31")
	require.NoError(t, err)
	kind := schema.GroupKind{Kind: "Pod"}
	return func(image string) []string {
		object := workload.FromMap(kind, map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": image}}}})
		decision := rules.Evaluate(policies.Request{Operation: policies.Create, Kind: kind, Namespace: policies.Namespace{Name: "n"}, Object: object}, end)
		var found []string
		for _, f := range decision.Findings {
			found = append(found, f.Vendor+" "+string(f.Confidence))
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
}
