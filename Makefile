# Each target makes its own environment in .venv where it is missing. On Windows, the README says the same without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c .ci/constraints.txt

.PHONY: help train test test-oracle test-long mutants bench lint clean

help:
	@echo "make train        train a small model on the tales, about a minute on two cores"
	@echo "make test         the plain suite"
	@echo "make test-oracle  the comparisons with PyTorch, transformers, tokenizers, tiktoken"
	@echo "make test-long    ten thousand cases instead of hundreds: hours"
	@echo "make mutants      mistakes planted one at a time: half an hour"
	@echo "make bench        a training step, byte-pair encoding and the import, beside other libraries"
	@echo "make lint         ruff and mypy"

$(VENV)/base: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[learn]'
	touch $@

$(VENV)/oracle: $(VENV)/base .ci/constraints.txt
	$(PIP) -e '.[oracle]'
	touch $@

$(VENV)/lint: $(VENV)/base
	$(PIP) -e '.[lint]'
	touch $@

train: $(VENV)/base
	$(BIN)/tgl train $(FLAGS)

test: $(VENV)/base
	$(BIN)/python -m pytest

test-oracle: $(VENV)/oracle
	$(BIN)/python -m pytest -m "oracle and not long and not gpu"

test-long: $(VENV)/oracle
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m "not gpu"

mutants: $(VENV)/base
	$(BIN)/python -m tests.mutants

bench: $(VENV)/oracle
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.bpe
	$(BIN)/python -m benchmarks.import_time

lint: $(VENV)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy tinygrad_llm

clean:
	rm -rf $(VENV) build *.egg-info
