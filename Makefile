# Everything here is a short name for a command that also works without make.

GO          ?= go
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     ?= $(GO) run mvdan.cc/gofumpt@v0.12.0

.DEFAULT_GOAL := help
.PHONY: build test race check generate bench clients golden real mutants help

build: ## build the command into build/machkernel
	$(GO) build -o build/machkernel ./cmd/machkernel

test: ## all tests
	$(GO) test ./...

race: ## all tests under the race detector
	$(GO) test -race -short ./...

check: ## format, vet, staticcheck, tidy; a leftover difference fails
	@unformatted=$$($(GOFUMPT) -l .); if [ -n "$$unformatted" ]; then echo "not gofumpt-clean:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...
	scripts/generate.sh --check
	$(GO) mod tidy -diff
	$(GO) mod verify

generate: ## write the Go that MIG makes from our .defs files
	scripts/generate.sh

bench: ## the figures of docs/benchmarks, each beside its floor
	$(GO) test -run '^$$' -bench . -benchtime 200ms ./ports ./vm ./gsync ./platform ./kernel

clients: ## rebuild the C clients and the suite with the real MIG
	scripts/build-clients.sh

golden: ## record the conformance suite on the real kernel (needs QEMU)
	scripts/golden.sh

real: ## record again and compare, suite and clients
	scripts/golden.sh --check
	scripts/real-record.sh --check

mutants: ## change the kernel in one place after the other: does the suite notice?
	$(GO) run ./conform/mutants -o testdata/conformance/mutants.md

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
