# Every target works in a fresh clone: the virtual environment is made when it is missing, and
# brought up to date when pyproject.toml is newer than the last installation.

PYTHON ?= python3
WORKERS ?= auto

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/.kanref-installed
DOCS_STAMP := $(VENV)/.kanref-docs-installed

# One BLAS thread per test process: the tests run in as many processes as there are cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(PY) -m pytest -q -n $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help setup demo lint test test-slow test-gpu test-packaging test-oldest coverage bench bench-gpu notebooks notebooks-check docs figures format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv and install kanref with all it needs for development

$(STAMP): pyproject.toml
	@test -x $(PY) || { \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }; \
	  $(PYTHON) -m venv $(VENV); }
	$(PY) -m pip install -q -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## the main job on real measurements; report and pictures go to figures/demo
	$(PY) demo/run.py --out figures/demo

lint: $(STAMP)  ## style, types and the rule of who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: lint  ## all checks, doctests and tests, with coverage; executes the course, twice
	$(PYTEST) --cov --cov-report= --cov-fail-under=0
	@echo "The loops of the kernels once more, as plain Python, for their coverage:"
	NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q tests/test_kernels.py --cov --cov-append
	@echo "The course, with Numba and without:"
	@$(MAKE) --no-print-directory notebooks-check

test-slow: $(STAMP)  ## the tests that take longer than a few seconds
	$(PYTEST) -m slow || test $$? -eq 5  # pytest's 5: there are none

test-gpu: $(STAMP)  ## the tests on a CUDA device, after pip install -e '.[gpu]'; skipped without
	$(PY) -m pytest -q -m gpu tests

test-packaging: $(STAMP)  ## build, install into empty environments (each Python, each extra), use it
	$(PY) tests/packaging/check_packages.py

test-oldest: $(STAMP)  ## the tests with the oldest packages that pyproject.toml allows
	$(ONE_THREAD) $(PY) tests/packaging/check_oldest.py

coverage: $(STAMP)  ## which lines the tests reach, as pages in htmlcov/
	$(PYTEST) --cov --cov-report= --cov-fail-under=0
	NUMBA_DISABLE_JIT=1 $(PY) -m pytest -q tests/test_kernels.py --cov --cov-append --cov-report=html

bench-gpu: $(STAMP)  ## kanref on a CUDA device, next to PyTorch's KANs; says so where there is none
	$(PY) benchmarks/gpu.py $(ARGS)

bench: $(STAMP)  ## every benchmark script, one after the other (benchmarks/README.md)
	@set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(PY) $$script; done

bench-%: $(STAMP)  # one of them: bench-step, bench-limit, …; options in ARGS
	$(PY) benchmarks/$*.py $(ARGS)

notebooks: $(STAMP)  ## execute the course in place and store its outputs
	$(PY) notebooks/execute.py

notebooks-check: $(STAMP)  ## execute copies of the course, with Numba and as in Pyodide without
	$(PY) notebooks/execute.py --check
	$(PY) notebooks/execute.py --check --bare

docs: $(DOCS_STAMP)  ## the documentation, an offline site in docs/_build/html; every link checked
	rm -rf docs/_build docs/api/generated
	$(PY) docs/measured.py --check
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(PY) docs/check_site.py docs/_build/html

$(DOCS_STAMP): pyproject.toml $(STAMP)
	$(PY) -m pip install -q -e '.[docs]'
	@touch $@

figures: $(STAMP)  ## draw every figure of README and docs again, and the tables of measurements
	@set -e; for script in $(filter-out figures/style.py figures/hello.py,$(wildcard figures/*.py)); do \
	  echo "== $$script"; $(ONE_THREAD) $(PY) $$script; done
	$(PY) docs/measured.py

format: $(STAMP)  ## format the code and repair what ruff can
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

clean:  ## remove what the other targets leave behind, except .venv
	rm -rf build dist docs/_build docs/api/generated docs/course htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find kanref tests benchmarks demo notebooks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
