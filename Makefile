# Each target first installs its dependencies into .venv; this takes time only once.

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= data
WORKERS ?= 2
# Arguments for pytest, the benchmarks and the chaos: make test ARGS="-k cancelled"
ARGS ?=

BIN := .venv/bin
# Stamp files: .venv has the extra of this name from pyproject.toml.
LOCAL := .venv/.has-local
TEST := .venv/.has-test
# Tools in environments of their own, each with its package: the tracking server that bench-peer compares Ravine with,
# the schemas of Kubernetes, the resolver of the hashes, and the audit. They are installed when they are first needed.
PEER := .venv-peer/.has-mlflow==3.17.2
SCHEMAS := .venv-kubernetes/.has-kubernetes-validate==1.37.0
RESOLVER := .venv-hashes/.has-uv==0.13.8
AUDITOR := .venv-audit/.has-pip-audit==2.10.1
# The checker of the types of the page's JavaScript, where node is installed.
TYPESCRIPT := .tools-node/.has-typescript@7.0.2
# The oldest version of Kubernetes that deploy/kubernetes is checked against.
KUBERNETES := 1.34

.DEFAULT_GOAL := help
.PHONY: help up demo lessons reference down migrate test test-all thorough fuzz check lint bench bench-peer screenshots \
	chaos hashes images audit types

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(LOCAL) ## Run everything on this machine until Ctrl-C: make up PORT=8000 DATA_DIR=data WORKERS=2
	@exec $(BIN)/ravine up --port '$(PORT)' --data-dir '$(DATA_DIR)' --workers '$(WORKERS)'

demo: $(LOCAL) ## Compare four optimizers in a temporary folder and print the results
	@exec $(BIN)/ravine demo

lessons: $(LOCAL) ## Run all lessons and write docs/lessons.md
	@exec $(BIN)/ravine lessons --write docs/lessons.md

reference: $(LOCAL) ## Generate docs/reference from schemas, settings and OpenAPI
	@$(BIN)/python -m docs.generate docs/reference

# Installs nothing: the running service uses the current .venv.
down: ## Stop the `make up` of DATA_DIR
	@if [ -x $(BIN)/ravine ]; then $(BIN)/ravine down --data-dir '$(DATA_DIR)'; fi

migrate: $(LOCAL) ## Migrate the tables of the database at RAVINE_DATABASE_URL
	@$(BIN)/ravine migrate

# In three processes, each with its own servers; ARGS may say otherwise: ARGS="-n 0 -k cancelled".
# Also where the environment forbids it: without cached bytecode each process of pytest compiles all tests again.
test test-all thorough: export PYTHONDONTWRITEBYTECODE =
test: $(TEST) ## Test against real servers in minutes; ARGS go to pytest: make test ARGS="-k cancelled"
	RAVINE_QUICK=1 $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=10 $(ARGS)

test-all: $(TEST) ## Run all tests, with the slow ones; takes half an hour
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=10 $(ARGS)

thorough: $(TEST) ## Run all tests on both databases, with more examples and with long lessons; takes longer
	RAVINE_THOROUGH=1 RAVINE_CHAOS=all $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=10 $(ARGS)

fuzz: $(TEST) ## Send 10,000 generated requests to the API, parse 100,000 formulas and 100,000 update rules; takes minutes
	RAVINE_THOROUGH=1 RAVINE_FUZZ_REQUESTS=10000 RAVINE_FUZZ_FORMULAS=100000 RAVINE_FUZZ_RULES=100000 $(BIN)/pytest -s tests/fuzz $(ARGS)

check: $(TEST) $(SCHEMAS) ## Check style, types, directions of imports and migrations; change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	.venv-kubernetes/bin/kubernetes-validate --strict --quiet -k $(KUBERNETES) \
		$(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))
	@if ! command -v npm >/dev/null; then echo "Without node the types of the page are not checked"; \
		elif $(MAKE) --no-print-directory $(TYPESCRIPT); then $(MAKE) --no-print-directory types; \
		else echo "TypeScript could not be installed: the types of the page are not checked"; fi
	@echo "Migrations create the tables of the models:"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		export RAVINE_DATABASE_URL="sqlite:///$$folder/check.db" && $(BIN)/ravine migrate && $(BIN)/alembic check
	@echo "The API can be imported without torch:"
	$(BIN)/python -W error -c "import sys; sys.modules['torch'] = None; import service.api.app"

types: $(TYPESCRIPT) ## Check the types of the page's JavaScript, which JSDoc states; needs node
	.tools-node/node_modules/.bin/tsc -p tsconfig.json

lint: $(TEST) ## Fix style and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TEST) ## Measure speed: make bench ARGS="engine load"
	$(BIN)/python -m benchmarks $(ARGS)

bench-peer: $(TEST) $(PEER) ## Measure the same histories in MLflow and Ravine, in a separate environment
	$(BIN)/python -m benchmarks peer

screenshots: $(TEST) ## Take the screenshots for README and docs; needs Chromium
	$(BIN)/python -m docs.images.screenshots

chaos: $(TEST) ## Kill processes on both databases, then while 200 jobs train: make chaos ARGS="--database postgresql --seed 7"
	RAVINE_CHAOS=all $(BIN)/pytest -n 0 tests/chaos
	$(BIN)/python -m tests.chaos $(ARGS)

hashes: $(TEST) $(RESOLVER) ## Write deploy/requirements: what the images install, with the hashes of the files
	$(BIN)/python .ci/hashes.py .venv-hashes/bin/uv

images: $(TEST) ## Build both images without a container engine and take jobs through them; needs root and buildah
	$(BIN)/python .ci/images.py $(ARGS)
	$(BIN)/python -m tests.production

audit: $(AUDITOR) ## List known vulnerabilities of the packages in constraints.txt; needs an index of them
	@$(PYTHON) .ci/audit.py .venv-audit/bin/pip-audit

$(PEER) $(SCHEMAS) $(RESOLVER) $(AUDITOR):
	@$(PYTHON) -m venv --clear '$(@D)'
	@'$(@D)/bin/pip' install --quiet --disable-pip-version-check '$(@F:.has-%=%)'
	@touch '$@'

$(TYPESCRIPT):
	@mkdir -p '$(@D)'
	@npm install --prefix '$(@D)' --no-save --no-audit --no-fund --silent '$(@F:.has-%=%)'
	@touch '$@'

# The last prerequisite rebuilds .venv if its Python was upgraded or removed.
.venv/.has-%: pyproject.toml constraints.txt $(BIN)/python
	@$(PYTHON) .ci/environment.py $*

$(BIN)/python: ;
