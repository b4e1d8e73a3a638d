# Everything a developer or a CI machine calls. `make` alone lists the targets.
# Needs: Python 3.11 or newer, Node 20.19 or newer, make, git. What is installed stays inside this folder.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

HOST ?= 127.0.0.1
PORT ?= 8000
DATA_DIR ?= ./data
TIMES ?= 10
TORTURED := tests/crash tests/property/test_lake_machine.py \
	$(addprefix tests/property/,test_paths_oracle.py test_paths_in_the_lake.py test_path_solvers.py test_event_log.py)
CASES ?= 10000
UV_VERSION := 0.13.8

# Bytecode is kept, whatever the environment says: without it each of the many processes would compile all sources anew.
export PYTHONDONTWRITEBYTECODE :=

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 ...` picks another one.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
endif
# The first Chromium for the browser tests; `make test CHROMIUM=/path/to/chrome` picks another one.
FIND_CHROMIUM = for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	command -v "$$name" && break; done
ifndef CHROMIUM
CHROMIUM := $(shell $(FIND_CHROMIUM))
endif

# Coverage slows the tests by half, and the brute force of the proofs by more: it is measured when it is asked for,
# `make test COVERAGE="--cov --cov-report=term:skip-covered"`.
COVERAGE ?=

# Processes that run the server tests: more than the two cores of a small machine, for a fourth of their time they wait
# for a disk, a pause or a process.
TEST_PROCESSES ?= 4

VENV := .venv
UV := VIRTUAL_ENV= UV_PROJECT_ENVIRONMENT=$(VENV) $(VENV)/bin/uv
STATIC := backend/iafa/static
PYTHON_READY := $(VENV)/.synced
DASHBOARD_READY := frontend/node_modules/.installed
TRACKER_READY := tracker-js/node_modules/.installed
SDKS_READY := tests/sdk/node_modules/.installed
DASHBOARD := $(STATIC)/dashboard/index.html
TRACKER := $(STATIC)/tracker/t.js
API_PAGES := $(STATIC)/docs/redoc.standalone.js

DASHBOARD_SOURCES := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts \
	-type f ! -name '*.test.ts' ! -name '*.test.tsx' 2>/dev/null)
TRACKER_SOURCES := $(shell find tracker-js/src tracker-js/build.mjs -type f 2>/dev/null)

# No package may run scripts at installation, and none may report it to its makers.
NPM_CI := SCARF_ANALYTICS=false npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

##@ Use
.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nSettings: HOST=%s PORT=%s DATA_DIR=%s PYTHON=%s CHROMIUM=%s\n' \
		'$(HOST)' '$(PORT)' '$(DATA_DIR)' '$(PYTHON)' '$(CHROMIUM)'

.PHONY: run
run: setup ## Set up what is missing and serve the demo on http://127.0.0.1:8000
	@exec $(VENV)/bin/iafa demo --host '$(HOST)' --port '$(PORT)' --data-dir '$(DATA_DIR)'

.PHONY: setup
setup: $(PYTHON_READY) $(DASHBOARD) $(TRACKER) $(API_PAGES) ## Environment, locked installs, front-end and tracker builds

##@ Work
.PHONY: dev
dev: setup ## Server that restarts on changes, and Vite with hot reload on http://127.0.0.1:5173
	@trap 'kill $$server 2>/dev/null' EXIT; trap 'exit 0' INT TERM; \
	$(VENV)/bin/watchfiles --filter python \
		"$(VENV)/bin/iafa serve --host $(HOST) --port $(PORT) --data-dir $(DATA_DIR)" backend/iafa & server=$$!; \
	cd frontend && VITE_API_URL='http://$(HOST):$(PORT)' npm run dev

.PHONY: test
test: setup ## All tests: dashboard, tracker, browser, server
	@$(MAKE) --no-print-directory --keep-going test-dashboard test-tracker test-browser test-server

.PHONY: check
check: setup ## Format, lint, types, import contracts, generated types, size budgets, Dockerfile
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy backend/iafa tests
	$(VENV)/bin/lint-imports
	@$(MAKE) --no-print-directory check-types
	cd frontend && npm run --silent typecheck && npm run --silent lint && npm run --silent size
	cd tracker-js && npm run --silent typecheck && npm run --silent lint && npm run --silent build
	$(VENV)/bin/hadolint Dockerfile

.PHONY: bench
bench: setup ## Measure speed (tests/bench)
	@for file in tests/bench/*_bench.py; do echo "== $$file"; \
		$(VENV)/bin/python -m "tests.bench.$$(basename "$$file" .py)" || exit 1; done

.PHONY: torture
torture: setup ## Crash tests ten times as long, 10,000 cases of each funnel and walks, fresh seed (IAFA_TEST_SEED=n repeats one)
	@seed=$${IAFA_TEST_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; echo "IAFA_TEST_SEED=$$seed"; \
	IAFA_TEST_SEED=$$seed IAFA_TEST_TIMES=$(TIMES) IAFA_TEST_CASES=$(CASES) $(VENV)/bin/pytest $(TORTURED) $(PYTEST_ARGS)

.PHONY: mutants
mutants: setup ## Plant bugs in a copy, one at a time: the tests must turn red
	PYTHONPATH=. $(VENV)/bin/python tests/mutants.py

.PHONY: pictures
pictures: setup ## Take the pictures of README and docs from the demo shop
	cd frontend && node scripts/pictures.mjs

.PHONY: build
build: setup ## A wheel in dist/ that carries the dashboard and the tracker
	$(UV) build --wheel --out-dir dist

.PHONY: clean
clean: ## Remove all that make has made; data/ stays
	rm -rf $(VENV) frontend/node_modules tracker-js/node_modules $(STATIC) tracker-js/dist dist
	rm -rf tests/sdk/node_modules tests/e2e/node_modules tests/e2e/artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find backend tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- parts of the targets above -------------------------------------------------------------------------------------

.PHONY: test-server
test-server: setup $(SDKS_READY)
	$(VENV)/bin/pytest -n $(TEST_PROCESSES) --dist worksteal $(COVERAGE) $(PYTEST_ARGS)

.PHONY: test-dashboard
test-dashboard: setup
	cd frontend && npm run --silent test

.PHONY: test-tracker
test-tracker: setup
	cd tracker-js && npm run --silent test

.PHONY: test-browser
test-browser: setup
	@chromium='$(CHROMIUM)'; \
	if [ -z "$$chromium" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'no Chromium found: installing the Debian package chromium'; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } </dev/null >/dev/null || true; \
		chromium=$$($(FIND_CHROMIUM)); \
	fi; \
	if [ -z "$$chromium" ]; then \
		echo 'SKIPPED the browser tests: no Chromium found. Install the package chromium (apt-get install chromium)'; \
		echo 'or name one: make test CHROMIUM=/path/to/chrome'; \
		exit 0; \
	fi; \
	export CHROMIUM="$$chromium"; \
	echo "browser tests with $$chromium"; \
	(cd tracker-js && npm run --silent test:browser) && (cd frontend && npm run --silent e2e)

.PHONY: check-types
check-types: setup
	@made=$$(mktemp) && trap 'rm -f "$$made"' EXIT && $(VENV)/bin/iafa openapi > "$$made" && \
		cmp -s "$$made" frontend/openapi.json || { echo 'frontend/openapi.json is stale: run make types' >&2; exit 1; }
	cd frontend && npm run --silent api:types -- --check

.PHONY: types
types: setup ## Make the dashboard's API types anew from the server's OpenAPI document
	$(VENV)/bin/iafa openapi > frontend/openapi.json
	cd frontend && npm run --silent api:types

define NEED_PYTHON
'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo 'IAFA needs Python 3.11 or newer; none was found. Install one, or name one: make PYTHON=/path/to/python3' >&2; exit 1; }
endef

define NEED_NODE
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
	2>/dev/null || { echo "IAFA needs Node 20.19 or newer; found: $$(node -v 2>/dev/null || echo none)" >&2; exit 1; }
endef

$(VENV)/bin/uv:
	@$(NEED_PYTHON)
	'$(PYTHON)' -m venv $(VENV) || { echo 'cannot make a virtual environment; on Debian: apt-get install python3-venv' >&2; exit 1; }
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(PYTHON_READY): pyproject.toml uv.lock | $(VENV)/bin/uv
	$(UV) sync --frozen --quiet
	@touch $@

$(DASHBOARD_READY): frontend/package.json frontend/package-lock.json
	@$(NEED_NODE)
	cd frontend && $(NPM_CI)
	@touch $@

$(TRACKER_READY): tracker-js/package.json tracker-js/package-lock.json
	@$(NEED_NODE)
	cd tracker-js && $(NPM_CI)
	@touch $@

# Other tools' SDKs, which the tests point at a running server.
$(SDKS_READY): tests/sdk/package.json tests/sdk/package-lock.json
	@$(NEED_NODE)
	cd tests/sdk && $(NPM_CI)
	@touch $@

$(DASHBOARD): $(DASHBOARD_READY) $(DASHBOARD_SOURCES)
	cd frontend && npm run --silent build -- --logLevel warn
	@touch $@

$(TRACKER): $(TRACKER_READY) $(TRACKER_SOURCES)
	cd tracker-js && npm run --silent build
	@mkdir -p $(@D) && cp tracker-js/dist/*.* $(@D)/ && touch $@

# The pages of the API's documents load nothing from outside hosts; the reference page's logo would.
$(API_PAGES): $(DASHBOARD_READY)
	@mkdir -p $(@D)
	@cp frontend/node_modules/swagger-ui-dist/swagger-ui.css frontend/node_modules/swagger-ui-dist/swagger-ui-bundle.js $(@D)/
	@sed 's#https://cdn\.redoc\.ly/redoc/logo-mini\.svg#data:,#' frontend/node_modules/redoc/bundles/redoc.standalone.js > $@
