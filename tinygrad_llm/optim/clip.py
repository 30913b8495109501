"""Gradient clipping by the global norm."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, namespace
from tinygrad_llm.errors import ArgumentError, NonFiniteError
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


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor], max_norm: float, *, error_if_nonfinite: bool = False
) -> float:
    """Scales every .grad in place by min(1, max_norm / (norm + 1e-6)), as PyTorch's clip_grad_norm_; returns the norm.

    The norm is that of all gradients together, before clipping, summed in float64. Parameters without one are passed
    over. max_norm = 0 makes the gradients 0, as there. A norm that is not finite reaches all gradients, or raises
    NonFiniteError with `error_if_nonfinite` and changes nothing.
    """
    if not max_norm >= 0:
        raise ArgumentError("max_norm", "a norm of at least 0", max_norm)
    every = (parameters,) if isinstance(parameters, Tensor) else parameters
    gradients = [p.grad for p in every if p.grad is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        norm = math.sqrt(sum(_sum_of_squares_in_float64(g) for g in gradients))
        if error_if_nonfinite and not math.isfinite(norm):
            next_step = "Lower the learning rate, or look for the first NaN with watch_numbers()."
            raise NonFiniteError("gradient norm", "a finite number", norm, next_step)
        scale = max_norm / (norm + 1e-6)
        if not scale >= 1:  # NaN is not either
            for g in gradients:
                g *= scale
    return norm


def _sum_of_squares_in_float64(g: Array) -> float:
    """No square of a float32 overflows there."""
    wide = g.reshape(-1).astype(np.float64)
    return float(namespace(g).dot(wide, wide))
