# One command per habit. `make demo` on a fresh machine needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV := .venv
STUDY ?= demo
PORT ?= 3000
# Every target runs with the settings of .env and the programs of the virtual environment.
RUN := set -a; . ./.env; set +a; PATH="$(CURDIR)/$(VENV)/bin:$$PATH"; VIRTUAL_ENV="$(CURDIR)/$(VENV)";
BENCHMARKS := $(filter-out benchmarks/common.py,$(wildcard benchmarks/*.py))

export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: setup demo study ui world world-report test unit lint bench snapshot clean

setup: $(VENV)/.installed .env

# torch is asked for first, by its exact version: a machine with a CPU build of it keeps that build.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(VENV)/bin/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

# Only where there is none: it may hold a person's own settings.
.env:
	sed 's|@REPOSITORY@|$(CURDIR)|g' .env.example > $@
	mkdir -p .likeness

demo: setup
	$(RUN) likeness study demo

study: setup
	$(RUN) LIKENESS_RAW="$${RAW:-$$LIKENESS_RAW}" likeness study $(STUDY)

ui: setup
	$(RUN) likeness ui --port $(PORT)

# Hours on two cores; what is done is kept, and a killed run goes on.
world: setup
	$(RUN) likeness world make

world-report: setup
	$(RUN) likeness world report

# Two processes with one thread each: most tests wait for one thread. A file's tests stay together.
test: setup
	$(RUN) OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --durations 15 --cov --cov-report=term-missing:skip-covered

unit: setup
	$(RUN) pytest tests/unit

lint: setup
	$(RUN) ruff check . && ruff format --check . && mypy && dg check defs

snapshot: setup
	$(RUN) pytest tests/graph --snapshot-update

bench: setup
	$(RUN) for script in $(BENCHMARKS); do python $$script || exit 1; done

# What can be made again in minutes; settings (.env) and state (.likeness) stay.
clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage*
