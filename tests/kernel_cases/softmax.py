"""Cases of softmax.cu: softmax and log-softmax."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import Builder
from tinygrad_llm.ops import log_softmax, softmax

OPS = {"softmax": softmax.array, "log_softmax": log_softmax.array}
SHAPES = [
    (3, 1, 32, 0, 0),
    (5, 31, 32, 0, 0),
    (4, 64, 32, 0, 0),
    (3, 65, 64, 1, 1),
    (2, 1000, 96, 0, 0),
    (2, 515, 64, 0, 1),
]
"""rows, width, threads, and by how many elements the first array and the others are shifted."""
BACKWARD = {"rtol": 2**-8, "atol": 1e-5}
"""g - sum g is a difference: what float loses in a sum of a thousand terms stays."""


def forward_and_backward(name: str, dtype: str, shapes=SHAPES) -> Case:
    b = Builder()
    for rows, width, block, first, others in shapes:
        shape = rows, width
        x, y, in_place = b.normal(shape, dtype, first, 4), b.array(shape, dtype, None, others), b.array(shape, dtype)
        in_place.array[...] = x.array
        value, vjp = OPS[name](x.values)
        b.launch(f"{name}_forward_{dtype}", rows - 1, block, x, y, rows, width)  # a block takes two rows
        b.launch(f"{name}_forward_{dtype}", rows, block, in_place, in_place, rows, width)
        b.expect(y, value)
        b.expect(in_place, value)
        g, given, dx = b.normal(shape, dtype, others), b.array(shape, dtype, value, first), b.array(shape, dtype)
        over_g = b.array(shape, dtype, g.array)
        if name == "softmax":
            dx_value = given.values * (g.values - (g.values * given.values).sum(-1, keepdims=True))
        else:
            dx_value = g.values - np.exp(given.values) * g.values.sum(-1, keepdims=True)
        if dtype == "float32":
            np.testing.assert_allclose(dx_value, vjp(g.values, [True]), rtol=1e-3, atol=1e-4)
        b.launch(f"{name}_backward_{dtype}", rows - 1, block, g, given, dx, rows, width)
        b.launch(f"{name}_backward_{dtype}", rows, block, over_g, given, over_g, rows, width)
        b.expect(dx, dx_value, **BACKWARD)
        b.expect(over_g, dx_value, **BACKWARD)
    return b.case()


def extreme_rows(name: str, dtype: str) -> Case:
    """-inf is a probability of 0, also where a whole pack is -inf; -inf or inf as the largest makes a row of NaN."""
    b = Builder()
    width, rows = 40, 6
    x = b.normal((rows, width), dtype)
    x.array[0, 3:] = -np.inf
    x.array[1, :37] = -np.inf
    x.array[2] = -np.inf
    x.array[3, 17] = np.inf
    x.array[4] = -3e38  # as large as a float may be: no overflow on the way
    x.array[5, 20] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        value = OPS[name](x.values)[0]
    assert np.isnan(value).all(-1).tolist() == [False, False, True, True, False, True]
    for block in (32, 64):
        y = b.array((rows, width), dtype)
        b.launch(f"{name}_forward_{dtype}", rows, block, x, y, rows, width)
        b.expect(y, value)
    return b.case()


CASES = {
    **{f"{name} {dtype}": partial(forward_and_backward, name, dtype) for name in OPS for dtype in DTYPES},
    **{f"{name} extreme {dtype}": partial(extreme_rows, name, dtype) for name in OPS for dtype in DTYPES},
}
FEW = [(3, 65, 64, 1, 1)]  # two warps; one of the blocks takes two rows, so shared memory is used twice
TINY = {f"{name} {dtype}, few": partial(forward_and_backward, name, dtype, FEW) for name in OPS for dtype in DTYPES}
CASES |= TINY
