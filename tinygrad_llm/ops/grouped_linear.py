"""Many linear layers, each for rows of its own, in one product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.autograd import all_written, places_alike
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import (
    Array,
    equally_spaced,
    grouped_outer,
    grouped_product,
    joined,
    namespace,
    stacked,
    to_device_of,
)
from tinygrad_llm.errors import ShapeError


@op
def grouped_linear(*arrays, starts=None):
    """y[m] = W_e x[m], where e is the group of row m.  x (M, I), E P weights (O_p, I) -> (M, O_1 + ... + O_P)

    weights  P for each group, group after group; those of a group stand side by side in the result. P is their number
             over E.
    starts   (E + 1,) whole numbers: the rows of group e are those from starts[e] up to starts[e + 1].

    dL/dx[m] = W_e^T g[m], dL/dW_e = the sum of g[m] x[m]^T over the rows of e. With kernels nobody waits for the GPU.
    Nothing is copied for float32 where the groups' weights lie at equal distances, as an optimizer's flat storage lays
    them. Raises ShapeError for weights of which groups have different sizes or numbers.
    """
    x, weights = arrays[0], arrays[1:]
    parts = _check(x, weights, starts)
    starts = to_device_of(starts, x)
    matrices = stacked(_of_groups(weights, parts))  # (E, O_1 + ... + O_P, I)
    rounded = matrices.astype(x.dtype, copy=False)
    outputs = [len(w) for w in weights[:parts]]

    def vjp(g, needs):
        dx = grouped_product(g, starts, rounded, transpose=False) if needs[0] else None
        return dx, *_weight_gradients(needs[1:], g, x, starts, outputs, matrices)

    return grouped_product(x, starts, rounded, transpose=True), vjp


def _check(x: Array, weights: Sequence[Array], starts: Array | None) -> int:
    """How many weights a group has."""
    count = 0 if starts is None else len(starts) - 1
    parts = len(weights) // max(1, count)
    if x.ndim != 2 or not parts or parts * count != len(weights):
        raise ShapeError("grouped_linear", f"x (M, I) and as many weights for each of {count} groups", len(weights))
    for place, w in enumerate(weights):
        like = weights[place % parts]
        if w.ndim != 2 or w.shape != like.shape or w.shape[1] != x.shape[1]:
            wanted = f"{like.shape if w.ndim == 2 else '(O, I)'} with I = {x.shape[1]}, as in every group"
            raise ShapeError("weights", wanted, w.shape, f"It is weight {place % parts} of group {place // parts}.")
    return parts


def _weight_gradients(
    needs: Sequence[Any], g: Array, x: Array, starts: Array, outputs: list[int], matrices: Array
) -> list[Any]:
    """Straight into the sink where the weights' places lie as their kernel writes them."""
    if not any(needs):
        return [None] * len(needs)
    places = places_alike(needs)
    place = equally_spaced(_of_groups(places, len(outputs))) if places else None
    if place is not None:
        grouped_outer(g, x, starts, place, accumulate=not needs[0].fresh)
        return all_written(needs)
    found = grouped_outer(g, x, starts, namespace(x).empty(matrices.shape, matrices.dtype), accumulate=False)
    ends = [sum(outputs[: i + 1]) for i in range(len(outputs))]
    return [own[end - size : end] for own in found for end, size in zip(ends, outputs)]


def _of_groups(arrays: Sequence[Array], parts: int) -> list[Array]:
    """The `parts` arrays of each group joined to one."""
    return [joined(arrays[i : i + parts]) for i in range(0, len(arrays), parts)]
