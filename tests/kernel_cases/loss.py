"""Cases of loss.cu: cross-entropy and its gradient."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import Builder
from tinygrad_llm.ops import cross_entropy

IGNORE = -100
SHAPES = [(3, 1, 32, 0), (6, 65, 32, 0), (4, 64, 64, 0), (5, 1001, 96, 0), (3, 515, 64, 1)]
"""rows, width, threads, and by how many elements the logits are shifted."""
LOSS = {"rtol": 3e-6, "atol": 3e-6}
"""Losses are float32 whatever the logits are."""


def forward_and_backward(dtype: str, smoothing: float, shapes=SHAPES) -> Case:
    b = Builder()
    for rows, width, block, shift in shapes:
        x = b.normal((rows, width), dtype, shift, scale=3)
        targets = b.array(rows, "int64", b.rng.integers(0, width, rows))
        targets.array[0], targets.array[-1] = width - 1, IGNORE
        losses, lse = b.array(rows), b.array(rows)
        sizes = rows, width, width, np.int64(IGNORE), smoothing
        b.launch(f"cross_entropy_forward_{dtype}", rows - 1, block, x, targets, losses, lse, *sizes)
        value, vjp = cross_entropy.array(x.values, targets.array, label_smoothing=smoothing, reduction="none")
        b.expect(losses, value, **LOSS)
        exact = np.where(targets.array == IGNORE, 0, np.log(np.exp(x.values).sum(-1)))
        b.expect(lse, exact, **LOSS)
        given, scale = b.array(rows, values=exact), 0.25
        for per_row, g in ((1, b.normal(rows)), (0, b.normal(1))):
            d, over_x = b.array((rows, width), dtype), b.array((rows, width), dtype, x.array, shift)
            sizes_g = targets, given, g, per_row, scale
            b.launch(f"cross_entropy_backward_{dtype}", rows - 1, block, x, *sizes_g, d, width, *sizes)
            b.launch(f"cross_entropy_backward_{dtype}", rows, block, over_x, *sizes_g, over_x, width, *sizes)
            expected = vjp(np.broadcast_to(g.values, rows) * scale, [True, False])[0]
            b.expect(d, expected)
            b.expect(over_x, expected)
    return b.case()


def rows_apart(dtype: str) -> Case:
    """What lies between rows counts for nothing and stays as it is, also where the gradient lies otherwise."""
    b = Builder()
    for rows, width, stride in ((3, 65, 128), (5, 40, 47)):
        x = b.normal((rows, stride), dtype, scale=3)
        x.array[:, width:] = 100  # would outweigh all others
        targets = b.array(rows, "int64", b.rng.integers(0, width, rows))
        losses, lse, g = b.array(rows), b.array(rows), b.normal(rows)
        near, far = b.array((rows, width), dtype), b.array((rows, stride), dtype, x.array)
        sizes = rows, width, stride, np.int64(IGNORE), 0.0
        value, vjp = cross_entropy.array(x.values[:, :width], targets.array, reduction="none")
        exact = b.array(rows, values=np.log(np.exp(x.values[:, :width]).sum(-1)))
        b.launch(f"cross_entropy_forward_{dtype}", rows, 32, x, targets, losses, lse, *sizes)
        b.launch(f"cross_entropy_backward_{dtype}", rows, 32, x, targets, exact, g, 1, 1.0, near, width, *sizes)
        b.launch(f"cross_entropy_backward_{dtype}", rows, 32, far, targets, exact, g, 1, 1.0, far, stride, *sizes)
        gradient = vjp(g.values, [True, False])[0]
        b.expect(losses, value, **LOSS)
        b.expect(lse, exact.values, **LOSS)
        b.expect(near, gradient)
        b.expect(far, np.concatenate([gradient, np.full((rows, stride - width), 100)], 1))
    return b.case()


def other_targets(dtype: str) -> Case:
    """Outside makes NaN, `ignore` may be any number, and an ignored row is 0 even where its logits are NaN."""
    b = Builder()
    rows, width = 5, 19
    x = b.normal((rows, width), dtype)
    x.array[3] = np.nan
    targets = b.array(rows, "int64", [-1, width, 2**40, 7, 3])  # 7 is to be ignored
    losses, lse, d, g = b.array(rows), b.array(rows), b.array((rows, width), dtype), b.array(1, values=1)
    sizes = rows, width, width, np.int64(7), 0.0
    b.launch(f"cross_entropy_forward_{dtype}", rows, 32, x, targets, losses, lse, *sizes)
    exact = b.array(rows, values=np.log(np.exp(x.values).sum(-1)))
    b.launch(f"cross_entropy_backward_{dtype}", rows, 32, x, targets, exact, g, 0, 1.0, d, width, *sizes)
    b.expect(lse, np.where([True, True, True, False, False], np.nan, [0, 0, 0, 0, exact.array[4]]), **LOSS)
    value, vjp = cross_entropy.array(x.values[4:], targets.array[4:])
    b.expect(losses, [np.nan, np.nan, np.nan, 0, value], **LOSS)
    expected = np.zeros((rows, width))
    expected[:3], expected[4] = np.nan, vjp(np.ones(()), [True, False])[0]
    b.expect(d, expected)
    return b.case()


def far_logits(dtype: str) -> Case:
    """-inf for tokens that must not come, a row of -inf, and numbers whose exponentials overflow."""
    b = Builder()
    rows, width = 4, 40
    x = b.normal((rows, width), dtype)
    x.array[0, 5:30] = -np.inf
    x.array[1] = -np.inf
    x.array[2] += np.array(1000, x.array.dtype)
    x.array[3] -= np.array(1000, x.array.dtype)
    targets, losses, lse = b.array(rows, "int64", [2, 0, 3, 4]), b.array(rows), b.array(rows)
    sizes = rows, width, width, np.int64(IGNORE), 0.0
    b.launch(f"cross_entropy_forward_{dtype}", rows, 64, x, targets, losses, lse, *sizes)
    with np.errstate(invalid="ignore"):
        b.expect(losses, cross_entropy.array(x.values, targets.array, reduction="none")[0], rtol=1e-4)
    return b.case()


CASES = {
    **{f"smoothing {e} {dtype}": partial(forward_and_backward, dtype, e) for e in (0.0, 0.1) for dtype in DTYPES},
    **{f"rows apart {dtype}": partial(rows_apart, dtype) for dtype in DTYPES},
    **{f"other targets {dtype}": partial(other_targets, dtype) for dtype in DTYPES},
    **{f"far logits {dtype}": partial(far_logits, dtype) for dtype in DTYPES},
}
FEW = [(4, 65, 64, 1)]  # two warps; one of the blocks takes two rows, so shared memory is used twice
TINY = {f"smoothing {dtype}, few": partial(forward_and_backward, dtype, 0.1, FEW) for dtype in DTYPES}
CASES |= TINY
