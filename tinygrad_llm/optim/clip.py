"""Gradient clipping by the global norm."""

from __future__ import annotations

import math

from tinygrad_llm.backend import Array, namespace
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.optim.flat import chunks


def sum_of_squares(flat: Array, start: int = 0, stop: int | None = None) -> float:
    """sum g^2 over [start, stop): a dot product a chunk, the chunks added in double precision."""
    xp = namespace(flat)
    stop = flat.size if stop is None else stop
    return math.fsum(float(xp.dot(flat[c], flat[c])) for c in chunks(flat, start, stop))


def clip_scale(norm: float, max_norm: float) -> float:
    """min(1, max_norm / (norm + 1e-6)): what a gradient of this norm is multiplied with; max_norm = 0 never clips.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013; 1e-6 as
    PyTorch.
    """
    if not max_norm >= 0:
        raise ArgumentError("max_norm", "a norm of at least 0 (0 never clips)", max_norm)
    return min(1.0, max_norm / (norm + 1e-6)) if max_norm else 1.0
