VENV := .venv
PYTHON := $(VENV)/bin/python
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

# Bytecode is written here, by all cores: where PYTHONDONTWRITEBYTECODE is set, as in many containers,
# every process would compile 5,000 modules again, 8 s. One file of torch's is for a newer Python.
COMPILE := $(PYTHON) -m compileall -qq -j 0 -x torch/testing/_internal/py312 $(VENV)/lib

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.installed: requirements.txt constraints.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --no-compile -r requirements.txt
	$(COMPILE)
	touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt constraints.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --no-compile -r requirements-dev.txt
	$(COMPILE)
	touch $@

clean:                  ## Remove the virtual environment and tool caches; runs and models stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

clean-runs: install     ## Remove what old runs left; OPTIONS=--dry-run only says what would go
	$(PYTHON) -m pipelines.clean $(OPTIONS)
