# What a person types. Each target first installs what it needs into .venv, which takes time only once.

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= data
WORKERS ?= 2
# Arguments for pytest, the benchmarks and the chaos: make test ARGS="-k cancelled"
ARGS ?=

BIN := .venv/bin
# The extras of pyproject.toml; a stamp tells that .venv has one of them.
LOCAL := .venv/.has-local
TEST := .venv/.has-test
# What Ravine is measured beside; it needs other versions of the same packages.
PEER := mlflow==3.17.2

.DEFAULT_GOAL := help
.PHONY: help up demo lessons reference down migrate test fuzz check lint bench bench-peer screenshots chaos

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(LOCAL) ## Run everything on this machine until Ctrl-C: make up PORT=8000 DATA_DIR=data WORKERS=2
	@exec $(BIN)/ravine up --port '$(PORT)' --data-dir '$(DATA_DIR)' --workers '$(WORKERS)'

demo: $(LOCAL) ## Compare four optimizers in a temporary folder and show who wins
	@exec $(BIN)/ravine demo

lessons: $(LOCAL) ## Put all statements of the texts to the test and write docs/lessons.md
	@exec $(BIN)/ravine lessons --write docs/lessons.md

reference: $(LOCAL) ## Write docs/reference from the product itself
	@$(BIN)/python -m docs.generate docs/reference

# Installs nothing: what is to be stopped runs from .venv as it is now.
down: ## Stop the `make up` that works on DATA_DIR
	@if [ -x $(BIN)/ravine ]; then $(BIN)/ravine down --data-dir '$(DATA_DIR)'; fi

migrate: $(LOCAL) ## Bring the tables of the database at RAVINE_DATABASE_URL to this version
	@$(BIN)/ravine migrate

# In two processes, each with its own servers; ARGS may say otherwise: ARGS="-n 0 -k cancelled".
test: $(TEST) ## Run all tests; real servers are started from wheels
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder --durations=10 $(ARGS)

fuzz: $(TEST) ## Ask the API 10,000 things, and write 100,000 formulas; takes minutes
	RAVINE_FUZZ_REQUESTS=10000 RAVINE_FUZZ_FORMULAS=100000 $(BIN)/pytest -s tests/fuzz $(ARGS)

check: $(TEST) ## Look at style, types, the direction of imports and the migrations; change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo "The migrations make the tables that the models describe:"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		export RAVINE_DATABASE_URL="sqlite:///$$folder/check.db" && $(BIN)/ravine migrate && $(BIN)/alembic check
	@echo "The API can be imported where torch cannot:"
	$(BIN)/python -W error -c "import sys; sys.modules['torch'] = None; import service.api.app"

lint: $(TEST) ## Repair the style as far as a program can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TEST) ## Measure latency and throughput
	$(BIN)/python -m benchmarks $(ARGS)

bench-peer: $(TEST) .venv-peer/.has-$(PEER) ## Measure the same histories here and in MLflow, in an environment of its own
	$(BIN)/python -m benchmarks peer

screenshots: $(TEST) ## Take the pictures of the page for README and docs; needs Chromium
	$(BIN)/python -m docs.images.screenshots

chaos: $(TEST) ## Break everything around 200 jobs: make chaos ARGS="--database postgresql --seed 7"
	$(BIN)/python -m tests.chaos $(ARGS)

.venv-peer/.has-%:
	@$(PYTHON) -m venv --clear .venv-peer
	@.venv-peer/bin/pip install --quiet --disable-pip-version-check '$*'
	@touch '$@'

# The last prerequisite is for a Python that was upgraded or removed under its virtual environment.
.venv/.has-%: pyproject.toml constraints.txt $(BIN)/python
	@$(PYTHON) .ci/environment.py $*

$(BIN)/python: ;
