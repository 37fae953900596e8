# One command per habit. `make demo` on a fresh machine needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STUDY ?= demo
RAW ?= $(LIKENESS_RAW)
PORT ?= 3000

-include .env
export DAGSTER_HOME LIKENESS_STATE_DIR LIKENESS_STORE LIKENESS_S3_ENDPOINT LIKENESS_STUDIES
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: setup demo study ui test unit lint bench snapshot clean

setup: $(VENV)/.installed .env

# torch is asked for first, by its exact version: a machine with a CPU build of it keeps that build.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

.env:
	sed -e 's|^DAGSTER_HOME=.*|DAGSTER_HOME=$(CURDIR)|' \
	    -e 's|^LIKENESS_STATE_DIR=.*|LIKENESS_STATE_DIR=$(CURDIR)/.likeness|' .env.example > $@

demo: setup
	$(MAKE) --no-print-directory study STUDY=demo

study: setup
	LIKENESS_RAW="$(RAW)" $(BIN)/likeness study $(STUDY)

ui: setup
	$(BIN)/likeness ui --port $(PORT)

test: setup
	$(BIN)/pytest --cov=likeness --cov=resources --cov-report=term-missing:skip-covered --cov-fail-under=90

unit: setup
	$(BIN)/pytest tests/unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/dg check defs

snapshot: setup
	$(BIN)/pytest tests/graph --snapshot-update

bench: setup
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) .env .likeness build *.egg-info .pytest_cache .ruff_cache .mypy_cache .coverage
