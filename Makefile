VENV := .venv
PYTHON := $(VENV)/bin/python
# The first of these that is a supported Python with venv; used only to create the environment.
INTERPRETERS := python3 python3.11 python3.12 python3.13
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint install install-dev clean clean-runs

run: install            ## Fresh machine to a served model: install, then the embedded default
	$(PYTHON) run_pipeline.py

test: install-dev       ## Fresh machine to a test result
	$(PYTHON) -m pytest

lint: install-dev       ## Format, lint and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# Compile once, on all cores: with PYTHONDONTWRITEBYTECODE set, as in many containers, every process
# would compile 5,000 modules again (8 s). The excluded file is for Python 3.12 and later.
COMPILE := $(PYTHON) -m compileall -qq -j 0 -x torch/testing/_internal/py312 $(VENV)/lib

$(VENV)/bin/python:
	@for python in $(INTERPRETERS); do \
		$$python -c '$(SUPPORTED)' 2>/dev/null && exec $$python -m venv $(VENV); \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with its venv module is needed; none of these is one: $(INTERPRETERS)." >&2; \
	exit 1

$(VENV)/.installed: requirements.txt constraints.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --no-compile -r requirements.txt
	$(COMPILE)
	touch $@

$(VENV)/.installed-dev: requirements.txt requirements-cluster.txt requirements-dev.txt constraints.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --no-compile -r requirements-dev.txt
	$(COMPILE)
	touch $@

clean:                  ## Remove the virtual environment and tool caches; runs and models stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

clean-runs: install     ## Remove what old runs left behind; OPTIONS=--dry-run only lists it
	$(PYTHON) -m pipelines.clean $(OPTIONS)
