# Everything sets itself up: Python 3.11 or newer and make are all that is needed.
PYTHON ?= python3
BASE := .venv-base
DEV := .venv

.PHONY: demo test lint types unit bench localiser-report coverage gate-report path-report clean

demo: $(BASE)/.ready  ## grade a phantom knee; installs no torch
	$(BASE)/bin/kellgren demo -o demo

test: lint types unit  ## what must pass before a commit

lint: $(DEV)/.ready
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .

types: $(DEV)/.ready
	$(DEV)/bin/mypy

unit: $(DEV)/.ready
	$(DEV)/bin/pytest

bench: $(DEV)/.ready  ## speed and memory; prints, asserts nothing
	$(DEV)/bin/python -m benchmarks.speed
	$(DEV)/bin/python -m benchmarks.films

localiser-report: $(DEV)/.ready  ## where knees are found, on real films; needs KELLGREN_DATA
	$(DEV)/bin/python -m benchmarks.localiser

coverage: $(DEV)/.ready  ## how often intervals hold the truth, by simulation
	$(DEV)/bin/python -m benchmarks.coverage

gate-report: $(DEV)/.ready  ## what is graded that shows no knee, and true knees refused; needs KELLGREN_DATA
	$(DEV)/bin/python -m benchmarks.gate

path-report: $(DEV)/.ready  ## what grading whole films costs; needs KELLGREN_DATA
	$(DEV)/bin/python -m benchmarks.whole_path

$(BASE)/.ready: pyproject.toml
	$(PYTHON) -m venv $(BASE)
	$(BASE)/bin/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(BASE) $(DEV) demo build dist
