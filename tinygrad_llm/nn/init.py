"""First values of parameters. Randomness is an argument; the numbers are drawn by NumPy in float64 and rounded once,
so a model is the same on every device and in every precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.backend import as_dtype
from tinygrad_llm.nn.module import Parameter


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float, dtype: Any = np.float32) -> Parameter:
    """Normal numbers with mean 0 and the given standard deviation."""
    return Parameter(rng.normal(0.0, std, shape).astype(as_dtype(dtype)))


def zeros(shape: tuple[int, ...], dtype: Any = np.float32) -> Parameter:
    """Zeros."""
    return Parameter(np.zeros(shape, as_dtype(dtype)))


def ones(shape: tuple[int, ...], dtype: Any = np.float32) -> Parameter:
    """Ones."""
    return Parameter(np.ones(shape, as_dtype(dtype)))
