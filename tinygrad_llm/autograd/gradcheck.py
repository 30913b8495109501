"""Holding derivatives against differences: (f(x + h) - f(x - h)) / 2h.

The check multiplies the output by random numbers before it sums (a random cotangent). With a plain sum, a softmax
would pass with any gradient that sums to zero, since its outputs always sum to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd.mode import no_grad
from tinygrad_llm.autograd.tensor import Tensor
from tinygrad_llm.backend import to_device
from tinygrad_llm.errors import ArgumentError, GradientError

CAUSES = (
    (lambda r: not np.isfinite(r), "a NaN, an infinity, or a gradient where there is none"),
    (lambda r: r == 0, "the gradient is zero: is a term missing, or was a result detached?"),
    (lambda r: abs(r - 2) < 1e-3 or abs(r - 0.5) < 1e-4, "a factor of exactly 2: a square's 2, or a term added twice"),
    (lambda r: abs(r + 1) < 1e-3, "the sign"),
    (lambda r: abs(r - 1) < 1e-2, "almost right: a small term is missing, or the step crosses a corner"),
    (lambda r: True, "a wrong axis, a transposed operand, or broadcasting not undone"),
)


def gradcheck(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    *,
    eps: float = 1e-5,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    seed: int = 0,
    **options: Any,
) -> bool:
    """True where d<c, f(x)>/dx by backward() equals the central difference, for random c and every entry of x.

    inputs  arrays or tensors; every float64 one is checked, all others are passed as they are.
    eps     the step h. In float64 the error of the formula, about h^2, and of rounding, about 1e-16/h, meet near 1e-5.

    Raises GradientError naming the operation, the argument, the index, both numbers, their ratio and the usual cause;
    ArgumentError where there is nothing to check. Source: Griewank and Walther, "Evaluating Derivatives", chapter 1.
    """
    name = getattr(function, "__name__", "function")
    arrays: list[Any] = [x.data if isinstance(x, Tensor) else x for x in inputs]
    arrays = [np.array(a) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a for a in arrays]
    checked = [i for i, a in enumerate(arrays) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    if not checked:
        next_step = "In float32 rounding hides mistakes: use .astype('float64')."
        raise ArgumentError(name, "at least one float64 input", "none", next_step)

    def given(requires_grad: bool) -> list[Any]:
        return [Tensor(a, requires_grad=requires_grad) if i in checked else a for i, a in enumerate(arrays)]

    tensors = given(requires_grad=True)
    out = function(*tensors, **options)
    cotangent = np.random.default_rng(seed).uniform(0.5, 1.5, out.shape) * np.where(
        np.random.default_rng(seed + 1).random(out.shape) < 0.5, -1.0, 1.0
    )
    if not out.requires_grad:
        raise GradientError(name, "a result that depends on its inputs", "one that requires no gradient")
    out.backward(cotangent)

    def projected() -> float:
        with no_grad():
            value = to_device(function(*given(requires_grad=False), **options).data, "cpu")
            return float((value * cotangent).sum())

    for i in checked:
        found: Any = tensors[i].grad if tensors[i].grad is not None else np.zeros_like(arrays[i])
        for index in np.ndindex(arrays[i].shape):
            difference = _central_difference(projected, arrays[i], index, eps)
            if not abs(found[index] - difference) <= atol + rtol * abs(difference):
                raise _disagreement(name, i, index, float(found[index]), difference)
    return True


def _central_difference(f: Callable[[], float], x: np.ndarray, index: tuple, eps: float) -> float:
    kept = x[index]
    x[index] = kept + eps
    above = f()
    x[index] = kept - eps
    below = f()
    x[index] = kept
    return (above - below) / (2 * eps)


def _disagreement(name: str, i: int, index: tuple, found: float, difference: float) -> GradientError:
    ratio = found / difference if difference else float("inf")
    cause = next(text for test, text in CAUSES if test(ratio))
    where = f"{name}, argument {i}, index {list(index)}"
    return GradientError(
        where,
        f"{difference:.10g} (difference)",
        f"{found:.10g} (backward), ratio {ratio:.4g}",
        f"Usual cause: {cause}.",
    )
