# Everything here needs Go and Debian's packages only. Kubernetes itself is taken from
# KUBEBUILDER_ASSETS, downloaded, or built from its Go modules the first time.

SHELL := /bin/sh
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X embargo.dev/cmd/embargo/internal/app.version=$(VERSION) -X embargo.dev/cmd/kubectl-embargo/internal/command.version=$(VERSION)
GOLANGCI_LINT := .cache/golangci-lint
FUZZTIME ?= 10s
export CGO_ENABLED := 0

.DEFAULT_GOAL := help

##@ Run

.PHONY: demo
demo: ## Set up a real control plane and show Embargo at work on it (KEEP=1 leaves it up)
	@go run ./test/demo

.PHONY: cluster
cluster: ## Start a control plane in .cluster to try things by hand
	@go run ./test/controlplane/cluster up

.PHONY: cluster-down
cluster-down: ## Stop it and remove its state
	@go run ./test/controlplane/cluster down

.PHONY: node
node: ## Run a cluster with two real nodes and a shell beside it (root only)
	@go run ./test/node/shell

##@ Build

.PHONY: build
build: ## Build the controller and the command line into bin
	go build -trimpath -ldflags "$(LDFLAGS)" -o bin/embargo ./cmd/embargo
	go build -trimpath -ldflags "$(LDFLAGS)" -o bin/kubectl-embargo ./cmd/kubectl-embargo

export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: build-all
build-all: ## Build the command line for every platform into dist, with archives and checksums
	go run ./test/release -version "$(VERSION)" -ldflags "$(LDFLAGS)"

IMAGE ?= embargo.dev/embargo
# The chart and the kustomizations of this source name the image by this tag.
TAG ?= $(shell sed -n 's/^appVersion: //p' charts/embargo/Chart.yaml)
ARCHS ?= amd64,arm64
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

.PHONY: image
image: ## Build the image into dist, without a daemon or a registry (ARCHS=amd64 for one)
	@go -C test/tools/image run . -root $(CURDIR) -output $(CURDIR)/dist -image $(IMAGE) -tag $(TAG) -version $(VERSION) -revision $(REVISION) -archs $(ARCHS)

.PHONY: generate
generate: generate-api generate-chart generate-docs ## Generate deep copies, CRDs, what the chart has of config, and reference pages

.PHONY: generate-api
generate-api:
	go -C test/tools/generate tool controller-gen object crd:generateEmbeddedObjectMeta=false paths=$(CURDIR)/policies/v1alpha1/ \
		output:object:dir=$(CURDIR)/policies/v1alpha1 output:crd:dir=$(CURDIR)/config/crd

.PHONY: generate-docs
generate-docs:
	go run ./policies/catalog/reference policies/catalog/vendors docs/reference/restricted-list.md
	go run ./cmd/kubectl-embargo/internal/reference docs/reference/cli

.PHONY: generate-chart
generate-chart:
	go run ./test/chart/generate
	go -C test/tools/helmdocs tool helm-docs --log-level warning --chart-search-root $(CURDIR)/charts

.PHONY: names
names: ## Gather real image names, which the prefilter's tokens are chosen by
	go run ./test/names

.PHONY: verify
verify: ## Fail where generated files or modules are not what they should be
	@test/verify.sh

##@ Test

.PHONY: test
test: binaries ## Set up and run all tests, also those on the real API server
	go test -timeout 40m ./...
	go -C test/tools/image test ./...
	go -C test/tools/monitoring test ./...

.PHONY: test-unit
test-unit: ## Run the tests that need no API server, in about a minute
	go test ./audit/... ./cmd/... ./config/... ./internal/... ./policies/... ./webhook/...

RELEASES ?= v1.30.14 v1.36.3

.PHONY: test-releases
test-releases: ## Run the tests of a cluster on other RELEASES of Kubernetes (built first, ten minutes each)
	for release in $(RELEASES); do \
		KUBERNETES_VERSION=$$release go run ./test/controlplane/cluster binaries && \
		KUBERNETES_VERSION=$$release go test -count=1 -p 1 -timeout 30m ./test/soundness ./test/admission ./test/audit ./test/lifecycle || exit 1; \
	done

.PHONY: test-browser
test-browser: ## Open the HTML of a check and an audit in Chromium (needs Debian's chromium)
	go test -tags browser -timeout 10m ./cmd/kubectl-embargo/internal/output/browser

# Root only: it runs real nodes.
.PHONY: e2e
e2e: ## Install, disturb and uninstall Embargo on real nodes, with Helm 3 and 4 and kustomize (root only)
	go test -tags e2e -count=1 -timeout 30m ./test/node
	go test -tags e2e -count=1 -timeout 30m -v ./test/e2e

.PHONY: test-flood
test-flood: binaries ## Flood the controller under the chart's memory limit, a minute each, beside 10,000 Pods, and compare latencies (root only)
	go test -count=1 -timeout 30m -v ./test/flood -for 1m -pods 10000 -compare-latency

.PHONY: test-cert-manager
test-cert-manager: binaries ## Let cert-manager keep the certificate, and renew it in every way under load
	go test -tags certmanager -count=1 -timeout 20m -v ./test/certmanager

FOR ?= 12m

.PHONY: e2e-long
e2e-long: ## Go on disturbing it under load for FOR (root only)
	go test -tags e2e -count=1 -timeout 3h -v ./test/e2e -run TestEmbargoIsNeverTheReason -for $(FOR)

.PHONY: binaries
binaries: ## Get the control plane's programs, without running anything
	@go run ./test/controlplane/cluster binaries
	@go run ./test/helm/get >/dev/null

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters
	go vet -tags browser,certmanager,e2e ./...
	go -C test/tools/apilint run . $(CURDIR) ./policies/v1alpha1
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...
	go -C test/tools/actionlint tool actionlint -shellcheck= $(CURDIR)/.github/workflows/*.yaml

$(GOLANGCI_LINT): test/tools/lint/go.mod
	@mkdir -p $(@D)
	@echo "building golangci-lint (a few minutes the first time)"
	go -C test/tools/lint build -trimpath -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

RULE_SETS ?= 72000
WORKLOADS ?= 100000

.PHONY: soundness
soundness: binaries ## Compare prefilter and evaluator: ten million pairs in CEL, WORKLOADS on a real API server
	go test -timeout 0 ./policies/prefilter -run 'TestSound$$' -v -shards=2 -objects=200 -rapid.checks=$$(( $(RULE_SETS) / 2 ))
	go test -timeout 0 ./test/soundness -v -requests=$(WORKLOADS)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME
	go test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZTIME) ./policies/imageref
	go test -run '^$$' -fuzz '^FuzzPattern$$' -fuzztime $(FUZZTIME) ./policies/imageref
	go test -run '^$$' -fuzz '^FuzzInstant$$' -fuzztime $(FUZZTIME) ./policies/schedule
	go test -run '^$$' -fuzz '^FuzzSound$$' -fuzztime $(FUZZTIME) ./policies/prefilter
	go test -run '^$$' -fuzz '^FuzzDecode$$' -fuzztime $(FUZZTIME) ./policies/workload
	go test -run '^$$' -fuzz '^FuzzDocuments$$' -fuzztime $(FUZZTIME) ./cmd/kubectl-embargo/internal/manifest
	for list in ConsolidatedCSV ConsolidatedJSON OFACCSV OFACXML OpenSanctions; do \
		go test -run '^$$' -fuzz "^Fuzz$$list\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./cmd/kubectl-embargo/internal/importer || exit 1; done
	go test -run '^$$' -fuzz '^FuzzValue$$' -fuzztime $(FUZZTIME) ./cmd/kubectl-embargo/internal/manifest
	go test -run '^$$' -fuzz '^FuzzParts$$' -fuzztime $(FUZZTIME) ./cmd/kubectl-embargo/internal/manifest
	go test -run '^$$' -fuzz '^FuzzHidden$$' -fuzztime $(FUZZTIME) ./cmd/kubectl-embargo/internal/manifest

.PHONY: bench
bench: binaries ## Measure matching, deciding, admission beside a webhook that does nothing, and the audit of 10,000 Pods
	go test -run '^$$' -bench . -benchmem ./policies/... ./webhook ./cmd/kubectl-embargo/internal/command
	@mkdir -p dist
	go run ./test/bench/admission -json dist/bench-admission.json
	go run ./test/bench/audit

##@ Release

.PHONY: release-files
release-files: ## Build images, archives and SBOMs into dist/release
	rm -rf dist/release
	test/release.sh $(VERSION) dist/release

.PHONY: reproducible
reproducible: release-files ## Build them again elsewhere, with an empty cache, and compare
	rm -rf dist/again dist/cache
	git worktree add --detach dist/again HEAD
	GOCACHE=$(CURDIR)/dist/cache dist/again/test/release.sh $(VERSION) dist/release-again; \
		status=$$?; git worktree remove --force dist/again; rm -rf dist/cache; exit $$status
	diff dist/release/SHA256SUMS dist/release-again/SHA256SUMS

##@ Clean

.PHONY: clean
clean: cluster-down ## Remove what was built
	rm -rf bin dist .cache

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
