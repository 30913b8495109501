"""Several linear layers of one input in one product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_llm.autograd import all_written, places_alike
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, adjacent, cast, gemm, joined, sum_rows
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.ops.matmul import add_bias


@op
def joint_linear(*arrays):
    """x W_1^T + b_1, ..., x W_n^T + b_n, side by side.  x (..., I), n weights (O_i, I), n biases (O_i,) or none
    -> (..., O_1 + ... + O_n)

    What `linear` gives with the weights joined to one. Nothing is copied where they are neighbours in memory, as an
    optimizer's flat storage lays them, and their gradients are one product too.
    """
    x, rest = arrays[0], arrays[1:]
    weights, biases = [a for a in rest if a.ndim == 2], [a for a in rest if a.ndim == 1]
    _check(x, weights, biases, rest)
    rows, inputs = math.prod(x.shape[:-1]), x.shape[-1]
    x_NI = x.reshape(rows, inputs)
    rounded = cast(joined(weights), x.dtype)
    y_NO = gemm(x_NI, rounded, transpose_b=True)
    if biases:
        add_bias(y_NO, joined(biases))
    outputs = [len(w) for w in weights]

    def vjp(g, needs):
        g_NO = g.reshape(rows, sum(outputs))
        dx = gemm(g_NO, rounded).reshape(x.shape) if needs[0] else None
        dw = _weight_gradients(needs[1 : 1 + len(weights)], g_NO, x_NI, outputs, weights[0].dtype)
        db: list[Any] = [None] * len(biases)
        if any(needs[1 + len(weights) :]):
            db = _parts(sum_rows(g_NO, biases[0].dtype), outputs)
        return dx, *dw, *db

    return y_NO.reshape(*x.shape[:-1], sum(outputs)), vjp


def _check(x: Array, weights: list[Array], biases: list[Array], rest: Sequence[Array]) -> None:
    in_order = len(weights) + len(biases) == len(rest) and all(a is b for a, b in zip([*weights, *biases], rest))
    if not weights or not in_order:
        raise ShapeError("joint_linear", "x, weights (O, I), then biases (O,)", [a.shape for a in rest])
    if any(w.shape[1] != x.shape[-1] for w in weights):
        wanted, got = f"weights (O, I) with I = {x.shape[-1]}", [w.shape for w in weights]
        raise ShapeError("weights", wanted, got, "The layers were made for another width.")
    if biases and [b.shape for b in biases] != [(len(w),) for w in weights]:
        raise ShapeError("biases", f"{[(len(w),) for w in weights]}, one a weight", [b.shape for b in biases])


def _weight_gradients(needs: Sequence[Any], g_NO: Array, x_NI: Array, outputs: list[int], dtype: Any) -> list[Any]:
    """g^T x, part by part; straight into the sink where the parts' places are neighbours there."""
    places = places_alike(needs)
    place = adjacent(places) if places else None
    if place is not None:
        gemm(g_NO, x_NI, transpose_a=True, out=place, accumulate=not needs[0].fresh)
        return all_written(needs)
    if not any(needs):
        return [None] * len(needs)
    return _parts(gemm(g_NO, x_NI, transpose_a=True, dtype=dtype), outputs)


def _parts(whole: Array, sizes: list[int]) -> list[Array]:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [whole[end - size : end] for size, end in zip(sizes, ends)]
