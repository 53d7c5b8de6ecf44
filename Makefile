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
# The tracking server that bench-peer compares Ravine with; it needs other versions of the same packages.
PEER := mlflow==3.17.2

.DEFAULT_GOAL := help
.PHONY: help up demo lessons reference down migrate test fuzz check lint bench bench-peer screenshots chaos

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

# In two processes, each with its own servers; ARGS may say otherwise: ARGS="-n 0 -k cancelled".
test: $(TEST) ## Run all tests against real servers; ARGS go to pytest: make test ARGS="-k cancelled"
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --durations=10 $(ARGS)

fuzz: $(TEST) ## Send 10,000 generated requests to the API and parse 100,000 formulas; takes minutes
	RAVINE_FUZZ_REQUESTS=10000 RAVINE_FUZZ_FORMULAS=100000 $(BIN)/pytest -s tests/fuzz $(ARGS)

check: $(TEST) ## Check style, types, directions of imports and migrations; change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo "Migrations create the tables of the models:"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		export RAVINE_DATABASE_URL="sqlite:///$$folder/check.db" && $(BIN)/ravine migrate && $(BIN)/alembic check
	@echo "The API can be imported without torch:"
	$(BIN)/python -W error -c "import sys; sys.modules['torch'] = None; import service.api.app"

lint: $(TEST) ## Fix style and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TEST) ## Measure speed: make bench ARGS="engine load"
	$(BIN)/python -m benchmarks $(ARGS)

bench-peer: $(TEST) .venv-peer/.has-$(PEER) ## Measure the same histories in MLflow and Ravine, in a separate environment
	$(BIN)/python -m benchmarks peer

screenshots: $(TEST) ## Take the screenshots for README and docs; needs Chromium
	$(BIN)/python -m docs.images.screenshots

chaos: $(TEST) ## Kill processes on both databases, then while 200 jobs train: make chaos ARGS="--database postgresql --seed 7"
	RAVINE_CHAOS=all $(BIN)/pytest -n 0 tests/chaos
	$(BIN)/python -m tests.chaos $(ARGS)

.venv-peer/.has-%:
	@$(PYTHON) -m venv --clear .venv-peer
	@.venv-peer/bin/pip install --quiet --disable-pip-version-check '$*'
	@touch '$@'

# The last prerequisite rebuilds .venv if its Python was upgraded or removed.
.venv/.has-%: pyproject.toml constraints.txt $(BIN)/python
	@$(PYTHON) .ci/environment.py $*

$(BIN)/python: ;
