"""In which type CuPy computes, where bfloat16 is among the arguments.

A ufunc has loops, each for one type, and takes the first that serves (cupy/_core/_kernel.pyx,
`_guess_routine_from_in_types`): every array must be safe to cast to its type, and a Python number must not make NumPy
promote it. Beside bfloat16 an int does not, but a float does: NumPy promotes 0.0 and bfloat16 to float64. So `2 * x` is
bfloat16, and `0.5 * x` float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

WITHOUT_BFLOAT16 = {"logical_not", "and_", "or_", "xor", "invert", "bitwise_and", "bitwise_or"}
"""Ufuncs that have no such loop; `test_standin.py` asks CuPy itself."""


def half(x) -> bool:
    """Whether x is an array of bfloat16."""
    return getattr(x, "dtype", None) is not None and x.dtype.char == "E"


def ufunc(function: Callable, name: str) -> Callable:
    """`function` on NumPy arrays and numbers, computed in the type that CuPy would choose."""

    def chosen(*arguments):
        halves = [a for a in arguments if half(a)]
        if not halves:
            return function(*arguments)
        loops = [np.dtype(np.float32), np.dtype(np.float64)]
        if name not in WITHOUT_BFLOAT16:
            loops.insert(0, halves[0].dtype)
        own = next(loop for loop in loops if all(_serves(loop, a) for a in arguments))
        result = np.asarray(function(*[np.asarray(a, own) for a in arguments]))
        return result if result.dtype.kind == "b" else result.astype(own, copy=False)

    return chosen


def _serves(loop: np.dtype, x) -> bool:
    if hasattr(x, "dtype"):
        return np.can_cast(x.dtype, loop)
    return np.result_type(type(x)(0), loop) == loop
