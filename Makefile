# Everything this repository can do, by name. `make help` lists it.

GO       ?= go
TOOL     := $(GO) tool -modfile=tools/dev/go.mod
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS  := -s -w -X main.stamped=$(VERSION) -X main.stampedCommit=$(COMMIT)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: web build ## build the web client and docket, and serve them on 127.0.0.1:8080, data in ./docket-data
	./bin/docket

.PHONY: run-dapr
run-dapr: web build ## serve the five services behind Dapr, Kafka and PostgreSQL on 127.0.0.1:8080 (BACKENDS=2), data in ./docket-dapr-data
	sh tools/postgresql.sh required
	$(GO) run ./deploy/local/run -backends $(or $(BACKENDS),1)

.PHONY: build
build: ## build bin/docket
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/docket ./cmd/docket

.PHONY: install
install: ## install docket into Go's bin folder
	$(GO) install -trimpath -ldflags '$(LDFLAGS)' ./cmd/docket

.PHONY: test
test: ## lint and run all tests; the last line counts them
	@MAKE=$(MAKE) sh tools/test.sh

.PHONY: lint
lint: ## formatting, vet, staticcheck, shellcheck and actionlint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	@GO="$(GO)" sh tools/scripts.sh

.PHONY: workflows
workflows: ## lint the scripts and the workflows alone
	@GO="$(GO)" sh tools/scripts.sh

# Tests behind Dapr wait for brokers, sidecars and a scheduler that share the machine: one that fails is run once more, and the
# report says so. A data race is never run again.
GOTEST := $(TOOL) gotestsum --format pkgname --rerun-fails=1 --rerun-fails-max-failures=5 --rerun-fails-abort-on-data-race

.PHONY: unit
unit: postgresql ## run all Go tests, those behind Dapr where PostgreSQL is installed
	@mkdir -p .test
	$(GOTEST) --junitfile .test/go.xml --packages ./... -- -timeout 20m

.PHONY: postgresql
postgresql: # for the tests behind Dapr; on Debian it is installed
	sh tools/postgresql.sh

# The web client needs Node; `go build` and `go test` do not, and serve web/placeholder without it.
web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm ci
	@touch $@

.PHONY: web
web: web/node_modules/.installed ## build the web client into web/dist
	find web/dist -mindepth 1 ! -name placeholder.txt -delete
	cd web && npm run --silent build

.PHONY: web-lint
web-lint: web/node_modules/.installed ## ESLint, Prettier, tsc, and whether the generated types are fresh
	cd web && npm run --silent lint

.PHONY: web-test
web-test: web build ## the web client's tests, in Chromium too, against the real binary
	$(GO) build -o bin/pushservice ./test/pushservice/serve
	$(GO) build -o bin/openidprovider ./test/openidprovider/serve
	@mkdir -p .test
	cd web && npm test --silent -- --reporter=default --reporter=junit --outputFile.junit=../.test/web-unit.xml
	cd web && npm run --silent test:browser -- --reporter=default --reporter=junit --outputFile.junit=../.test/web-browser.xml

.PHONY: web-check
web-check: web build ## print the web client's figures; sizes and what axe finds are hard limits
	cd web && npm run --silent sizes && npm run --silent figures

.PHONY: pictures
pictures: web build ## take the pictures in docs/pictures anew
	cd web && npm run --silent pictures

# Left out: tests that only drive other processes, and one that is about volume.
.PHONY: race
race: postgresql ## run the Go tests under the race detector
	$(GOTEST) --packages "$$($(GO) list ./... | grep -vE '/(deploy/local|test/(access|adversity|crash|e2e))$$' | tr '\n' ' ')" -- \
		-race -timeout 30m -skip '^TestConformance$$/^Messages$$/^ManyMoreThanFitInMemory$$'

.PHONY: audit
audit: web/node_modules/.installed ## check what docket is built from: checksums, licences, known vulnerabilities
	$(GO) mod verify
	$(GO) test -count=1 -run '^TestLicences' .
	cd tools/vulnerabilities && $(GO) test . && $(GO) run . ../..
	sh tools/vulnerabilities/packages.sh

.PHONY: rules
rules: ## try every alert in Prometheus' own engine, which takes minutes to build the first time
	cd tools/rules && $(GO) test -count=1 ./...

.PHONY: fuzz
fuzz: ## fuzz everything that parses, FUZZTIME each (50000x: times; 10s: time)
	sh tools/fuzz.sh $(or $(FUZZTIME),50000x)

.PHONY: bench
bench: build ## print the table of figures, against bare loops in the same run (BENCH=-quick)
	$(GO) run ./test/load $(BENCH)

.PHONY: crash
crash: build ## kill -9 in ROUNDS rounds (50) and count what is lost
	$(GO) run ./test/crash -rounds $(or $(ROUNDS),50)

.PHONY: bench-dapr
bench-dapr: build ## print the figures behind Dapr, against bare use of the same sidecar (BENCH=-quick)
	sh tools/postgresql.sh required
	$(GO) run ./test/load -dapr $(BENCH)

.PHONY: crash-dapr
crash-dapr: build ## behind Dapr: kill services, sidecars, scheduler, broker and database in ROUNDS rounds (40)
	sh tools/postgresql.sh required
	$(GO) run ./test/crash -dapr -clients 32 -rounds $(or $(ROUNDS),40) $(CRASH)

.PHONY: binaries
binaries: ## build docket for every system it is released for, into dist, with checksums
	GO="$(GO)" sh tools/binaries.sh "$(VERSION)" "$(COMMIT)"

.PHONY: image
image: ## build the image of SERVICE (docket: all five in one), as docket/SERVICE:VERSION, with DOCKER (docker)
	$(or $(DOCKER),docker) build -f deploy/docker/Dockerfile --target $(or $(SERVICE),docket) \
		--build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) $(IMAGEFLAGS) -t docket/$(or $(SERVICE),docket):$(VERSION) .

# Helm is built from source, by the version in tools/charts/go.mod; without it the tests of what charts render are skipped.
bin/helm: tools/charts/go.mod
	cd tools/charts && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o ../../bin/helm helm.sh/helm/v4/cmd/helm

.PHONY: charts
charts: bin/helm ## lint and render the charts with every file of values, check the result strictly, and what they refuse
	cd tools/charts && $(GO) test -count=1 . && CGO_ENABLED=0 $(GO) build -trimpath -o ../../bin/charts .
	$(GO) test -count=1 ./test/charts

.PHONY: cluster-test
cluster-test: build ## install docket in the cluster of KUBECONFIG, images by IMAGE_LOAD, lose each pod and upgrade, all under load
	$(GO) build -o bin/crash ./test/crash
	$(GO) run ./test/cluster -crash bin/crash

.PHONY: generate
generate: ## write the generated files anew
	$(GO) generate ./...

.PHONY: ci
ci: ## what CI runs: the tests, then every heavy tier
	bash .ci/run
