# `make help` lists the targets. Everything happens in .venv; nothing is installed anywhere else.
PYTHON ?= python3
# Test processes side by side; each starts its own broker and database (about 1 GB), and often waits for them: on two cores
# three took 12 to 17 minutes, by how quick the machine was that day, and two 19.
TEST_PROCESSES ?= 3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMP := $(VENV)/.installed
LOCK := requirements/all.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-nz test test-fast faults oracle notebook lint format bench soak bench-peers docs lock lock-peers clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one with: make PYTHON=/path/to/python3 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(LOCK) pyproject.toml | $(BIN)/python
	@grep -E '^uv==' -A 40 $(LOCK) | awk 'NR==1 || /--hash/ {print} NR>1 && !/--hash/ {exit}' > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@# Again, always: where `chdb` was installed, taking it away took a file of chdb-core's along (docs/upstream.md).
	@# Compiled now: where PYTHONDONTWRITEBYTECODE is set, as in many containers, every process would compile what it imports.
	$(UV) pip sync --quiet --require-hashes --compile-bytecode --reinstall-package chdb-core --python $(BIN)/python $(LOCK)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 producers streams sinks schemas infra
	@touch $@

setup: $(STAMP) ## Make .venv with the locked dependencies (quick when nothing changed)

demo: $(STAMP) ## A living city on this machine: Kafka, ClickHouse, worker, sink, residents
	@$(BIN)/venuecode demo

demo-nz: $(STAMP) ## The same with New Zealand's real venues and exposure windows
	@$(BIN)/venuecode demo --city nz

test: lint ## Everything: linters, types, directions, all tests
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP) ## Unit and property tests: no broker, no database, under a minute
	$(BIN)/python -m pytest tests/unit tests/property

faults: $(STAMP) ## The fault harness, long form (docs/guarantees.md): 330 kills over a million scans, and more
	@LEDGER_RUNS=10000 $(BIN)/python -m pytest -q --timeout 1800 tests/property/test_streams_ledger.py
	@$(BIN)/python -m tests.faults --file faults.json

oracle: $(STAMP) ## The co-presence views against the oracle, long form: 1,000 cities a question, and all of New Zealand
	@COPRESENCE_EXAMPLES=1000 $(BIN)/python -m pytest -q --timeout 1800 tests/integration/test_copresence_views.py tests/integration/test_settled_stays.py
	@NZ_PEOPLE=20000 NZ_BACKGROUND=110000 $(BIN)/python -m pytest -q --timeout 1800 tests/integration/test_nz_windows.py

notebook: $(STAMP) ## A case from its scans to whom it met, in a notebook, against the running demo
	@$(BIN)/marimo edit notebooks/case.py

lint: $(STAMP) ## Linters, types, import directions
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench-peers: $(STAMP) ## Measure the worker beside other stream processors, each pinned in its own place (long)
	@$(BIN)/venuecode bench peers

bench: $(STAMP) ## Measure every part of the product on servers of its own (minutes)
	@$(BIN)/venuecode bench all

soak: $(STAMP) ## Two hours at 5,000 scans/s: does memory, a handle, a thread or the lag grow?
	@$(BIN)/venuecode soak

docs: $(STAMP) ## Make the README's picture again, out of a real run of the demo
	@$(BIN)/python -m infra.demo.picture docs/demo.svg

lock: $(BIN)/python ## Resolve the dependencies again
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --extra embedded --extra analysis --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --quiet --upgrade -o $(LOCK)

lock-peers: $(STAMP) ## Resolve the peers' dependencies again (their versions are in infra/bench/peers/*/requirements.in)
	@for file in infra/bench/peers/*/requirements.in; do \
		$(UV) pip compile $$file --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --upgrade -o $${file%.in}.txt || exit 1; \
	done

clean: ## Remove .venv and caches (the platform's data stays: `venuecode platform down --delete-data`)
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
