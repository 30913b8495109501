"""Cases of norm.cu: layer norm, RMS norm, sums over rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case, Launch, assert_near, normal, unwritten, wide
from tinygrad_llm.ops import layer_norm, rms_norm

EPS = 1e-5


def forward(kind: str, dtype: str, rows: int, width: int, given: str, grid: int, block: int = 256, shift=0.0, skip=0):
    """y, mean and rstd. given: which of "w", "b" there are. skip: elements before the first, to break the alignment."""
    rng, t = np.random.default_rng(rows * width), DTYPES[dtype]
    x = (normal(rng, skip + rows * width) + np.float32(shift)).astype(t)[skip:].reshape(rows, width)
    w, b = (normal(rng, width) if letter in given else None for letter in "wb")
    y, mean, rstd = unwritten((rows, width), t), unwritten(rows), unwritten(rows)
    sizes = np.int32(rows), np.int32(width), np.float32(EPS)
    args = (x, w, b, y, mean, rstd, *sizes) if kind == "layer" else (x, w, y, rstd, *sizes)

    def check() -> None:
        x64, parameters = wide(x), [None if p is None else wide(p) for p in (w, b)]
        expected, _ = _op(kind)(x64, *parameters[: 2 if kind == "layer" else 1], eps=EPS)
        assert_near(y, expected)
        if kind == "layer":
            assert_near(mean, x64.mean(-1))
        mean64 = x64.mean(-1, keepdims=True) if kind == "layer" else 0.0
        assert_near(rstd, 1 / np.sqrt(((x64 - mean64) ** 2).mean(-1) + EPS))

    return Case([Launch(f"{kind}_norm_forward_{dtype}", grid, block, args)], check)


def backward(kind: str, dtype: str, rows: int, width: int, given: str, parts: int, block: int = 256, skip=0):
    """dx, and dw and db in parts. given: "w" that there is a weight, "d" that its gradient is wanted, "b" that db is, "s"
    that there is a gradient so far, which dx is added to."""
    rng, t = np.random.default_rng(rows + width), DTYPES[dtype]
    g = normal(rng, skip + rows * width).astype(t)[skip:].reshape(rows, width)
    x = (normal(rng, (rows, width)) * 2 + 1).astype(t)
    w = normal(rng, width) if "w" in given else None
    x64 = wide(x)
    mean64 = x64.mean(-1) if kind == "layer" else np.zeros(rows)
    rstd64 = 1 / np.sqrt(((x64 - mean64[:, None]) ** 2).mean(-1) + EPS)
    dx, dw, db = (
        unwritten((rows, width), t),
        *(unwritten((parts, width)) if letter in given else None for letter in "db"),
    )
    mean, rstd = mean64.astype(np.float32), rstd64.astype(np.float32)
    sizes = np.int32(rows), np.int32(width)
    so_far = normal(rng, (rows, width), t) if "s" in given else None
    args = (
        (g, x, w, mean, rstd, so_far, dx, dw, db, *sizes)
        if kind == "layer"
        else (g, x, w, rstd, so_far, dx, dw, *sizes)
    )

    def check() -> None:
        weights = np.ones(width) if w is None else wide(w)
        parameters = (weights, np.zeros(width)) if kind == "layer" else (weights,)
        _, vjp = _op(kind)(x64, *parameters, eps=EPS)
        expected = vjp(wide(g), (True,) * (1 + len(parameters)))
        for found, wanted in zip((dx, dw, db), expected):
            if found is dx:
                assert_near(found, wanted if so_far is None else wanted + wide(so_far))
            elif found is not None:
                assert_near(found.sum(0), wanted, scale=10)

    return Case([Launch(f"{kind}_norm_backward_{dtype}", parts, block, args)], check)


def _op(kind: str) -> Callable:
    return layer_norm.array if kind == "layer" else rms_norm.array


def sums(
    dtype: str, rows: int, width: int, chunks: int, accumulate: bool, block: int = 256, columns: int | None = None
) -> Case:
    """In two launches where there is more than one chunk; `columns` blocks share the columns."""
    rng = np.random.default_rng(rows)
    x, parts = normal(rng, (rows, width), DTYPES[dtype]), unwritten((chunks, width))
    out = normal(rng, (1, width)) if accumulate else unwritten((1, width))
    before, columns = wide(out), columns or -(-width // 32)

    def launch(kernel: str, a: np.ndarray, to: np.ndarray, add: bool) -> Launch:
        args = a, to, np.int32(len(a)), np.int32(width), np.int32(add)
        return Launch(kernel, (columns, len(to)), block, args)

    def check() -> None:
        assert_near(out[0], wide(x).sum(0) + (before[0] if accumulate else 0), scale=10)

    if chunks == 1:
        return Case([launch(f"sum_rows_{dtype}", x, out, accumulate)], check)
    first = launch(f"sum_rows_{dtype}", x, parts, False)
    return Case([first, launch("sum_rows_float32", parts, out, accumulate)], check)


CASES: dict[str, Callable[[], Case]] = {}
TINY: dict[str, Callable[[], Case]] = {}
for dtype, vector in (("float32", 4), ("bfloat16", 8)):
    held = 1024  # the widest row that one warp keeps in registers
    for kind, parameters in (("layer", "wb"), ("rms", "w")):
        for label, case in {
            "one warp a row": partial(forward, kind, dtype, 19, 64, parameters, 2),
            "a block a row": partial(forward, kind, dtype, 3, held + vector, parameters, 2),
            "not all fits in registers": partial(forward, kind, dtype, 2, 8 * held + 2 * vector, parameters, 2),
            "a width that is no multiple": partial(forward, kind, dtype, 5, 45, parameters, 5, 64),
            "an address that is no multiple": partial(forward, kind, dtype, 9, 64, parameters, 1, 96, skip=1),
            "one column": partial(forward, kind, dtype, 3, 1, parameters, 1, 32),
            "no parameters": partial(forward, kind, dtype, 3, 40, "", 1),
            "far from zero": partial(
                forward, kind, dtype, 4, 256, parameters, 1, shift=100.0 if dtype == "float32" else 8.0
            ),
        }.items():
            CASES[f"{kind} norm forward {dtype}, {label}"] = case
        gradients = "wdb" if kind == "layer" else "wd"
        for label, case in {
            "one warp a row": partial(backward, kind, dtype, 19, 64, gradients, 2),
            "few registers of a warp": partial(backward, kind, dtype, 9, held * 3 // 4, gradients, 3),
            "a gradient so far": partial(backward, kind, dtype, 19, 64, gradients + "s", 2),
            "a gradient so far, all registers": partial(backward, kind, dtype, 9, held, gradients + "s", 3),
            "a gradient so far, not all fits": partial(backward, kind, dtype, 3, 8 * held + 2 * vector, "ws", 2),
            "a gradient so far, single numbers": partial(backward, kind, dtype, 5, 45, gradients + "s", 2, 64),
            "all registers of a warp": partial(backward, kind, dtype, 9, held, gradients, 3),
            "a block a row": partial(backward, kind, dtype, 5, held + vector, gradients, 2),
            "not all fits in registers": partial(backward, kind, dtype, 3, 8 * held + 2 * vector, gradients, 2),
            "a width that is no multiple": partial(backward, kind, dtype, 5, 45, gradients, 2, 64),
            "an address that is no multiple": partial(backward, kind, dtype, 9, 64, gradients, 1, 96, skip=1),
            "more blocks than rows": partial(backward, kind, dtype, 2, 40, gradients, 4),
            "no parameters": partial(backward, kind, dtype, 3, 40, "", 1),
            "one parameter": partial(backward, kind, dtype, 3, 40, gradients[:2], 1),
            "bias alone": partial(backward, kind, dtype, 3, 40, gradients[2:], 1),
        }.items():
            CASES[f"{kind} norm backward {dtype}, {label}"] = case
    for label, case in {
        "one launch": partial(sums, dtype, 37, 70, 1, False),
        "added to what was there": partial(sums, dtype, 5, 32, 1, True, 1024 // 4),
        "two launches": partial(sums, dtype, 300, 33, 7, True),
        "more chunks than rows": partial(sums, dtype, 3, 8, 5, False, 32),
        "packs, columns left over": partial(sums, dtype, 300, 264, 3, True),
        "a block goes on to further columns": partial(sums, dtype, 70, 520, 2, False, 256, 1),
        "a block goes on to further columns, single numbers": partial(sums, dtype, 70, 101, 2, False, 64, 2),
    }.items():
        CASES[f"sum rows {dtype}, {label}"] = case
    # Two warps, and two rows for each team, so that shared memory is used twice.
    TINY |= {
        f"layer norm forward {dtype}, a row a warp": partial(forward, "layer", dtype, 6, 64, "wb", 2, 64),
        f"layer norm forward {dtype}, a row a block": partial(forward, "layer", dtype, 2, 2 * held + 96, "wb", 1, 64),
        f"layer norm forward {dtype}, scalars": partial(forward, "layer", dtype, 3, 40, "wb", 1, 64, skip=1),
        f"layer norm backward {dtype}, a row a warp": partial(backward, "layer", dtype, 6, 64, "wdb", 2, 64),
        f"layer norm backward {dtype}, a row a block": partial(
            backward, "layer", dtype, 2, 2 * held + 96, "wdb", 1, 64
        ),
        f"layer norm backward {dtype}, scalars": partial(backward, "layer", dtype, 3, 45, "wdb", 1, 64),
        f"rms norm forward {dtype}, a row a block": partial(forward, "rms", dtype, 2, 2 * held + 96, "w", 1, 64),
        f"rms norm backward {dtype}, a row a block": partial(backward, "rms", dtype, 2, 2 * held + 96, "wd", 1, 64),
        f"sum rows {dtype}, several warps": partial(sums, dtype, 40, 33, 3, True, 64),
        f"sum rows {dtype}, packs": partial(sums, dtype, 40, 272, 2, True, 64, 1),
    }
CASES |= TINY
