# Every command that a person or CI runs. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Tests that mostly wait for servers of their own, and may do so side by side.
WAITING := tests/rehearsal tests/proof/test_rehearsal.py
# The gate under fault after fault: on several stacks side by side already.
PROVING := tests/proof
# Load generators, which whatever runs beside them makes late.
LOADING := tests/load tests/plugin/test_gate_load.py
# Tests that watch: two at once, and nothing beside them, or they would watch the machine.
WATCHING := tests/canary tests/stack/canary
# A machine that others use too can make a test of real servers late: what fails is run once more, and named at the end.
STEADY := -p pytest_rerunfailures --reruns 1 --reruns-delay 5 -rR
# A stage without a test that ARGS selects (exit status 5) is none.
stage = $(BIN)/python -m pytest $(1) $(STEADY) $(ARGS); code=$$?; [ $$code = 5 ] || { ran=1; [ $$code = 0 ] || status=1; }

.PHONY: help smoke test faults lint bench stack clean
help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

smoke: $(VENV)/.stack ## The smoke gate against the embedded stack (ARGS='--profile ingest/embedded' narrows it)
	$(BIN)/python -m pytest -m smoke --allow-writes embedded $(ARGS)

test: $(VENV)/.dev ## All tests of opsproof itself, the proof of every check included
	@status=0 ran=; trap 'exit 130' INT TERM; set -x; \
	$(call stage,$(WAITING) -n 3 --dist loadfile); \
	$(call stage,$(WATCHING) -n 2 --dist load); \
	$(call stage,$(PROVING) --ignore=tests/proof/test_rehearsal.py); \
	$(call stage,$(LOADING)); \
	$(call stage,tests $(patsubst %,--ignore=%,$(WAITING) $(WATCHING) $(PROVING) $(LOADING)) -n 2 --dist loadfile); \
	[ $$ran ] || { echo "no test was selected: $(ARGS)"; exit 5; }; exit $$status

faults: $(VENV)/.dev ## Every fault of rehearsals and canaries, more than 600 (an hour and a half); `make test` covers every check by fewer
	OPSPROOF_ALL_FAULTS=1 $(BIN)/python -m pytest tests/rehearsal tests/canary tests/stack/canary -n 3 --dist loadfile $(ARGS)
	OPSPROOF_ALL_FAULTS=1 $(BIN)/python -m pytest tests/load tests/proof --ignore=tests/proof/test_rehearsal.py $(ARGS)

lint: $(VENV)/.dev ## Style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Measure the gate beside its peers (takes minutes)
	$(BIN)/python benchmarks/gate.py $(ARGS)
	$(BIN)/python benchmarks/indicators.py
	$(BIN)/python benchmarks/payload.py
	$(BIN)/python benchmarks/windows.py
	$(BIN)/python benchmarks/dump.py
	$(BIN)/python benchmarks/canary.py
	$(BIN)/python benchmarks/canary_judging.py
	$(BIN)/python benchmarks/load.py

stack: $(VENV)/.stack ## Keep the embedded stack in the foreground, to look at and to break
	$(BIN)/opsproof stack up

clean: ## Remove .venv and caches; runs in reports/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/.stack: pyproject.toml .ci/constraints.txt .ci/setup
	PYTHON=$(PYTHON) .ci/setup $(VENV) stack
	@touch $@

$(VENV)/.dev: pyproject.toml .ci/constraints.txt .ci/setup
	PYTHON=$(PYTHON) .ci/setup $(VENV) dev
	@touch $@ $(VENV)/.stack
