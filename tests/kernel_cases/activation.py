"""Cases of activation.cu: GELU, SiLU, SwiGLU."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import BLOCK, FEW_PLACES, GRID, PLACES, Builder
from tinygrad_llm.ops import gelu, silu
from tinygrad_llm.ops import swiglu as swiglu_op

ACTIVATIONS = {
    "gelu_tanh": partial(gelu.array, approximate="tanh"),
    "gelu_erf": gelu.array,
    "silu": silu.array,
}
GELUS = ("gelu_tanh", "gelu_erf")
ROWS = [
    (1, 1, 0, 0, 0), (7, 33, 0, 0, 0), (70, 16, 0, 0, 0), (61, 40, 0, 0, 0), (3, 1096, 0, 0, 0), (9, 64, 1, 0, 0),
    (9, 64, 0, 1, 0), (9, 64, 0, 0, 1), (5, 3, 3, 3, 3),
]  # fmt: skip
"""Rows, how wide, and by how many elements x, the bias and the results are shifted: packs fit, or they do not."""
FEW_ROWS = [(3, 24, 0, 0, 0), (5, 3, 0, 0, 0), (2, 24, 0, 1, 0)]


def activation(name: str, dtype: str, places=PLACES) -> Case:
    b = Builder()
    for n, first, others in places:
        x, g = b.normal(n, dtype, others, scale=3), b.normal(n, dtype, first)
        y, dx = b.array(n, dtype, shift=first), b.array(n, dtype, shift=others)
        b.launch(f"{name}_forward_{dtype}", GRID, BLOCK, x, y, np.int64(n))
        b.launch(f"{name}_backward_{dtype}", GRID, BLOCK, g, x, dx, np.int64(n))
        value, vjp = ACTIVATIONS[name](x.values)
        b.expect(y, value)
        b.expect(dx, vjp(g.values, [True]))
    return b.case()


def with_bias(name: str, dtype: str, rows=ROWS) -> Case:
    b = Builder()
    for count, width, of_x, of_bias, of_results in rows:
        x, g = b.normal((count, width), dtype, of_x, scale=2), b.normal((count, width), dtype, of_results)
        bias = b.normal(width, shift=of_bias, scale=2)
        y, dx = (b.array((count, width), dtype, shift=of_results) for _ in range(2))
        sizes = np.int64(count), width
        b.launch(f"{name}_bias_forward_{dtype}", GRID, BLOCK, x, bias, y, *sizes)
        b.launch(f"{name}_bias_backward_{dtype}", GRID, BLOCK, g, x, bias, dx, *sizes)
        value, vjp = ACTIVATIONS[name](x.values + bias.values)
        b.expect(y, value)
        b.expect(dx, vjp(g.values, [True]))
    return b.case()


def activation_far_out(dtype: str) -> Case:
    """Where exp overflows, nothing else does: x stays x, or becomes 0."""
    b = Builder()
    far = [100, 200, 1e4, 3e19, 3e38]  # from 3e19 on the square overflows, too
    for name in ACTIVATIONS:
        x = b.array(10, dtype, [-v for v in far] + far)
        y, slope, g = b.array(10, dtype), b.array(10, dtype), b.array(10, dtype, 1)
        b.launch(f"{name}_forward_{dtype}", 1, 32, x, y, np.int64(10))
        b.launch(f"{name}_backward_{dtype}", 1, 32, g, x, slope, np.int64(10))
        b.expect(y, np.maximum(x.values, 0))
        b.expect(slope, x.values > 0)
    return b.case()


def swiglu(dtype: str, places=PLACES) -> Case:
    b = Builder()
    for n, first, others in places:
        gate, up, g = b.normal(n, dtype, first, scale=3), b.normal(n, dtype, others), b.normal(n, dtype, first)
        y, dgate, dup = (b.array(n, dtype, shift=others) for _ in range(3))
        only_gate, only_up = b.array(n, dtype, shift=others), b.array(n, dtype, shift=others)
        b.launch(f"swiglu_forward_{dtype}", GRID, BLOCK, gate, up, y, np.int64(n))
        for wanted in ((dgate, dup), (only_gate, None), (None, only_up), (None, None)):
            b.launch(f"swiglu_backward_{dtype}", GRID, BLOCK, g, gate, up, *wanted, np.int64(n))
        value, vjp = swiglu_op.array(gate.values, up.values)
        b.expect(y, value)
        for found, expected in zip((dgate, dup), vjp(g.values, [True, True])):
            b.expect(found, expected)
        b.expect(only_gate, vjp(g.values, [True, False])[0])
        b.expect(only_up, vjp(g.values, [False, True])[1])
    return b.case()


CASES = {
    **{f"{name} {dtype}": partial(activation, name, dtype) for name in ACTIVATIONS for dtype in DTYPES},
    **{f"{name} bias {dtype}": partial(with_bias, name, dtype) for name in GELUS for dtype in DTYPES},
    **{f"far out {dtype}": partial(activation_far_out, dtype) for dtype in DTYPES},
    **{f"swiglu {dtype}": partial(swiglu, dtype) for dtype in DTYPES},
}
TINY = {
    **{
        f"{name} {dtype}, few": partial(activation, name, dtype, FEW_PLACES) for name in ACTIVATIONS for dtype in DTYPES
    },
    **{f"{name} bias {dtype}, few": partial(with_bias, name, dtype, FEW_ROWS) for name in GELUS for dtype in DTYPES},
    **{f"swiglu {dtype}, few": partial(swiglu, dtype, FEW_PLACES) for dtype in DTYPES},
}
CASES |= TINY
