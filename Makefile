# `make help` lists the targets. Everything that is fetched or built for a target,
# but for bin/, goes to ODIN_CACHE (~/.cache/odin), in pinned versions.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
TESTFLAGS ?=
FUZZTIME ?= 10s
SCHEDULES ?= 10000
SEED ?= 1
FOR ?= 5m
ONLY ?=
SOAK ?= 1h
RUNS ?= 5
DEMO ?=

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: build
build: ## bin/odind and bin/odinctl, with the version from git
	@mkdir -p bin
	flock bin/.lock go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/ ./cmd/...

.PHONY: deb
deb: ## bin/odind_VERSION_ARCH.deb
	@deploy/deb/build.sh

.PHONY: demo
demo: build ## odind with a broker and events of its own, and a page to look at (DEMO="--rate 100")
	@scripts/demo.sh $(DEMO)

.PHONY: test
test: ## the Go tests
	@scripts/gotest.sh $(TESTFLAGS) ./...

.PHONY: race
race: ## the Go tests under the race detector, but for those that gain nothing by it
	@scripts/apt.sh gcc libc6-dev
	@scripts/gotest.sh -race $(TESTFLAGS) $$(go list ./... | grep -vE '/(test/e2e|internal/sim|internal/arrows)$$')

.PHONY: lint
lint: ## gofumpt, golangci-lint, shellcheck, a tidy go.mod
	@scripts/lint.sh

.PHONY: sim
sim: ## SCHEDULES of the simulation (10,000), from SEED (1)
	@scripts/sim.sh $(SCHEDULES) $(SEED)

.PHONY: chaos
chaos: build ## FOR five minutes (5m) of faults from SEED (1), three brokers and hundreds of clients: nothing is lost
	go run ./scripts/chaos -seed $(SEED) -for $(FOR) $(if $(ONLY),-only "$(ONLY)")

.PHONY: soak
soak: ## the simulation for SOAK (1h), from seeds of the clock
	@scripts/soak.sh $(SOAK)

.PHONY: mutants
mutants: ## each rule broken, and the simulation looks for it RUNS times (5)
	@scripts/mutants.sh $(RUNS)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: realkafka
realkafka: ## the tests against Apache Kafka, which is fetched
	@scripts/tagged.sh realkafka $(TESTFLAGS)

.PHONY: shells
shells: ## odinctl's completion in bash, zsh and fish
	@scripts/apt.sh bash-completion zsh fish
	@scripts/tagged.sh shells $(TESTFLAGS)

.PHONY: e2e
e2e: ## the tests of whole processes alone: kill, freeze, drain
	@scripts/gotest.sh $(TESTFLAGS) ./test/e2e

.PHONY: quiet
quiet: ## five minutes under load in which a healthy odind logs less than five lines
	@ODIN_QUIET_FOR=5m scripts/gotest.sh -run '^TestQuiet$$' -timeout 20m ./test/e2e

.PHONY: clients
clients: build ## the clients for Go and JavaScript, in Node and Chromium, and their READMEs' examples
	@clients/test.sh

.PHONY: browser
browser: build ## the status page in Chromium: of `make demo`, and of one as large as can be
	@test/browser/run.sh

.PHONY: picture
picture: build ## docs/page.png, which README shows: the page after five minutes of a demo
	@test/browser/picture.sh

.PHONY: load
load: build ## load by k6, of a demo or of ODIN_LOAD_URL; scripts/k6/run.sh --help
	@scripts/k6/run.sh

.PHONY: k6
k6: build ## the scenarios of `make load` for a few seconds, and whether they notice what is wrong
	@scripts/k6/smoke.sh

.PHONY: prometheus
prometheus: build ## alerts and dashboards, by a real Prometheus beside `make demo`
	@test/prometheus/run.sh

.PHONY: autobahn
autobahn: ## RFC 6455 and 7692 by Autobahn's cases, but for most of the long ones
	@test/autobahn/run.sh

.PHONY: conformance
conformance: ## every case of Autobahn's, and docs/CONFORMANCE.md anew; minutes
	@test/autobahn/run.sh --write docs/CONFORMANCE.md '*'

.PHONY: systemd
systemd: ## the Debian package in a machine that systemd boots; needs root
	@test/systemd/run.sh

.PHONY: bench
bench: build ## every case beside the floors of this machine, into docs/BENCHMARKS.md: 40 minutes (QUICK=1: 2, and nothing is written)
	@bench/bench.sh

.PHONY: tools
tools: ## get all tools in their pinned versions
	@scripts/tools.sh gofumpt golangci-lint shellcheck nfpm systemd-nspawn k6 nats-server chromium playwright-core tsc autobahn prometheus promtool alertmanager
	@bench/build.sh

.PHONY: ci
ci: ## everything: what .ci/run runs
	@.ci/run

.PHONY: clean
clean: ## remove bin/ (the cache stays)
	rm -rf bin
