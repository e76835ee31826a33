# One verb per job; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NATIVE := geodns/native
CARGO := $(shell command -v cargo 2>/dev/null)
NATIVE_SOURCES := $(shell find $(NATIVE) \( -name target -o -name fuzz -o -name tests \) -prune -o -type f -print)
export PYO3_PYTHON := $(abspath $(BIN)/python)

.DEFAULT_GOAL := help
.PHONY: help install run test test-tools check check-native coverage bench fuzz soak clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Install geodns for development into .venv

$(STAMP): pyproject.toml setup.py geodns/__init__.py $(NATIVE_SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "geodns: needs Python 3.11 or newer, $(PYTHON) is" \
	        "$$($(PYTHON) -V 2>/dev/null || echo missing); try: make PYTHON=python3.12" >&2; exit 2; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV) || { \
	    echo "geodns: cannot make $(VENV); on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@

run: install ## Start the demo: eight nodes, DNS on port 5300, API on 8053
	@$(BIN)/geodns demo $(RUN_ARGS)

test: install test-tools ## Run every test (PYTEST_ARGS to choose)
ifneq ($(CARGO),)
	cd $(NATIVE) && cargo test --locked --quiet
endif
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-tools: ## Install the programs that some tests talk to
	@.ci/test-tools

check: install check-native ## Format, lint, types, layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

check-native:
ifneq ($(CARGO),)
	cd $(NATIVE) && cargo fmt --check
	cd $(NATIVE) && cargo clippy --locked --quiet --all-targets -- -D warnings
endif
	@if $(BIN)/python -c 'import geodns._native' 2>/dev/null; then \
	    set -x; $(BIN)/python -m mypy.stubtest geodns._native; \
	else echo "geodns: no native engine here; its stub is not checked"; fi

# RFC by RFC and octet by octet: what reads and writes packets has no branch without a test.
PACKET_CODE := geodns/dns/message.py,geodns/dns/tsig.py,geodns/engine/cookies.py,$\
geodns/engine/lookup.py,geodns/engine/query.py,geodns/engine/reply.py,$\
geodns/engine/responder.py,geodns/engine/subject.py
COVERAGE := $(BIN)/python -m coverage
export COVERAGE_FILE := $(VENV)/.coverage

coverage: install ## Fail unless tests reach every branch of the packet code
	$(COVERAGE) run --branch --include=$(PACKET_CODE) \
	    -m pytest -m 'not slow' tests/protocol tests/unit/engine tests/unit/dns/test_message.py
	$(COVERAGE) report --show-missing --fail-under=100

bench: install ## Measure (BENCH_ARGS to choose)
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

fuzz: install ## Fuzz the native engine, a minute for each target (FUZZ_ARGS to choose)
	$(BIN)/python -m tests.soak fuzz --seconds 60 $(FUZZ_ARGS)

soak: install ## Run for an hour: SOAK_ARGS=all, questions, model, fuzz, sanitize, health, store, generations
	$(BIN)/python -m tests.soak $(SOAK_ARGS)

clean: ## Remove what install, build and test made
	rm -rf $(VENV) build dist *.egg-info $(NATIVE)/target $(NATIVE)/fuzz/target geodns/_native*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .bench
	find geodns data tests -name __pycache__ -type d -prune -exec rm -rf {} +
