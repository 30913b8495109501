"""Which element types an operation accepts, which it promotes, and which its result must have.

    float32 and float32            float32; two float types are refused, since a silent float64 costs half the speed
    float32 and a Python number    float32: a number never changes a float type
    float32 and int64              float32, where the operation promotes integers
    int64 and a Python float       float32, where the operation promotes integers
    bfloat16, then float32         bfloat16: activations, the first argument, beside the weights that an optimizer keeps
                                   precise (mixed precision); float32 where the operation accumulates, as a loss does

The rules depend on the types alone, so `@op` keeps one `Rule` for each combination that it has met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from tinygrad_llm.backend import Array, is_float, is_half, is_supported

Integers = Literal["keep", "promote", "float32", "refuse"]
"""What becomes of integers and booleans. keep: they stay, as indices and masks do. promote: they take the float type of
the other arguments, float32 beside a Python float. float32: they do so always, as for a logarithm. refuse: some
argument must be of floats, or the result would be cut to integers."""

FLOAT32 = np.dtype(np.float32)


class Rule(NamedTuple):
    """casts: the type that each argument is cast to, or None. result: that of a float result, None where there must be
    none. refused: the float types are none of the above, or there must be one."""

    casts: tuple[Any, ...] | None
    result: Any
    refused: bool = False


def computable(kind: Any) -> bool:
    """Arrays (`kind` is their dtype) of types that we support; Python's numbers; None for what is left out."""
    if isinstance(kind, np.dtype):
        return is_supported(kind)
    return kind in (bool, int, float, type(None))


def rule_for(kinds: Sequence[Any], numbers: Sequence[bool], integers: Integers, accumulates: bool) -> Rule:
    """The rule for arguments of these kinds: a dtype for an array, the type for anything else.

    numbers      which arguments are numbers to compute with, not positions or conditions.
    accumulates  bfloat16 activations have a float32 result.
    """
    floats = [k for k in kinds if isinstance(k, np.dtype) and is_float(k)]
    if not floats:
        becomes_float = integers == "float32" or (integers == "promote" and float in kinds)
        result = FLOAT32 if becomes_float and any(isinstance(k, np.dtype) for k in kinds) else None
    elif is_half(floats[0]):
        result = FLOAT32 if accumulates else floats[0]
    else:
        result = floats[0]
    mixed_precision = bool(floats) and is_half(floats[0]) and set(floats) <= {floats[0], FLOAT32}
    refused = (len(set(floats)) > 1 and not mixed_precision) or (integers == "refuse" and not floats)
    casts = None
    if result is not None and integers in ("promote", "float32") and not refused:
        target = floats[0] if floats else result
        wanted = [
            target if number and isinstance(kind, np.dtype) and not is_float(kind) else None
            for kind, number in zip(kinds, numbers, strict=True)
        ]
        casts = tuple(wanted) if any(wanted) else None
    return Rule(casts, result, refused)


def promoted(x: Array, *values: Any) -> Array:
    """x, computed with numbers that are options: float32 where x has integers and one of them is a Python float."""
    return x.astype(FLOAT32) if not is_float(x.dtype) and float in map(type, values) else x
