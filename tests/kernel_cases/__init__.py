"""One table of kernel cases: what a kernel is launched with, and what NumPy says must come out.

A kernel file `tinygrad_llm/backend/kernels/NAME.cu` has its cases in `tests/kernel_cases/NAME.py`, as a dictionary
`CASES` from a case's name to a function that makes it, with new arrays each time. Some of them stand in `TINY` as well, and
run under ThreadSanitizer and AddressSanitizer too. Those are slow: a millisecond for a thread's life, so two warps, one
or two blocks, and the smallest sizes that go through every loop, use shared memory twice and leave a remainder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    from ml_dtypes import bfloat16
except ImportError:  # the bfloat16 cases are left out
    bfloat16 = None

DTYPES = {"float32": np.dtype(np.float32)} | ({} if bfloat16 is None else {"bfloat16": np.dtype(bfloat16)})
TOLERANCE = {"float32": {"rtol": 2e-5, "atol": 2e-5}, "bfloat16": {"rtol": 2**-8, "atol": 1e-4}}
"""Of one kernel, against float64. A bfloat16 result is rounded once: half a unit of 2^-8."""


@dataclass
class Launch:
    """What one kernel is launched with."""

    kernel: str
    grid: int | Sequence[int]
    block: int
    args: Sequence[Any]
    shared_bytes: int = 0


@dataclass
class Case:
    """Launches in order, and a function that raises AssertionError where the arrays are not as NumPy says."""

    launches: Sequence[Launch]
    check: Callable[[], None]


def cases(file: str) -> dict[str, Callable[[], Case]]:
    """The cases of one kernel file."""
    return importlib.import_module(f"kernel_cases.{file}").CASES


def tiny_cases(file: str) -> dict[str, Callable[[], Case]]:
    """Those for the sanitizers."""
    module = importlib.import_module(f"kernel_cases.{file}")
    return {name: module.CASES[name] for name in module.TINY}


def unwritten(shape: int | tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """Memory for a result: NaN, or the largest integer, wherever the kernel forgets to write."""
    out = np.empty(shape, dtype)
    out.reshape(-1).view(np.uint8)[...] = 0xFF if out.dtype.kind not in "iu" else 0x7F
    return out


def normal(rng: np.random.Generator, shape: int | tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """Standard normal numbers, as the kernel will see them."""
    return rng.standard_normal(shape).astype(dtype)


def wide(x: np.ndarray) -> np.ndarray:
    """As float64, for the formula that the result is compared with."""
    return x.astype(np.float64)


def assert_near(found: np.ndarray, expected: np.ndarray, scale: float = 1.0) -> None:
    """Within the tolerance of the found dtype, times a scale where many numbers are summed."""
    table = TOLERANCE[found.dtype.name]
    assert found.shape == expected.shape, f"{found.shape} instead of {expected.shape}"
    np.testing.assert_allclose(wide(found), expected, rtol=table["rtol"] * scale, atol=table["atol"] * scale)
