"""Buffers for the gradients of leaves in the place of .grad: preallocated, one set for each worker.

Nothing that belongs to a run lives on a parameter, so several threads can share the parameters: each has a sink of its
own, and the sinks are added up at the end. A sink is a flat array; each parameter has its place in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.autograd.tensor import Tensor
from tinygrad_llm.backend import Array, add, gemm

WRITTEN = object()
"""What a vjp returns for a parent whose gradient it has put into its place already."""


class Place:
    """One parameter's place in a sink. True as a `needs` entry, and able to take a product without a copy."""

    __slots__ = ("array", "fresh")

    def __init__(self, array: Array) -> None:
        self.array, self.fresh = array, True

    def add(self, gradient: Array) -> None:
        """place = gradient the first time since clear(), place += gradient after that."""
        if self.fresh:
            self.array[...] = gradient
            self.fresh = False
        else:
            add(self.array, gradient, out=self.array)


class SoFar:
    """A `needs` entry for an intermediate of whose gradient there is a part already. A vjp that adds its own term while
    it has that in hand saves a pass over memory: see `taken`.
    """

    __slots__ = ("array", "taken")

    def __init__(self, array: Array) -> None:
        self.array, self.taken = array, False


def taken(need: Any) -> Array | None:
    """The gradient so far, which whoever asks promises to add to what it returns, in an array of its own; None where
    there is nothing to add."""
    if not isinstance(need, SoFar):
        return None
    need.taken = True
    return need.array


class GradientSink:
    """Places for the gradients of `parameters`, views into the one array `flat` in the order of the parameters."""

    def __init__(self, parameters: Sequence[Tensor], flat: Array) -> None:
        self.flat = flat
        self.places: dict[int, Place] = {}
        start = 0
        for p in parameters:
            self.places[id(p)] = Place(flat[start : start + p.size].reshape(p.shape))
            start += p.size
        assert start == flat.size, "the flat gradient has exactly one entry for each of the parameters'"

    def place(self, leaf: Tensor) -> Place | None:
        """The leaf's place, or None where it has none here."""
        return self.places.get(id(leaf))

    def clear(self) -> None:
        """The next gradient overwrites: cheaper than zeros first and a sum after."""
        for place in self.places.values():
            place.fresh = True

    def finish(self) -> None:
        """Zeros for the parameters that no gradient has reached since clear()."""
        for place in self.places.values():
            if place.fresh:
                place.array[...] = 0
                place.fresh = False


def places_alike(needs: Sequence[Any]) -> list[Array] | None:
    """The places of several parents, where all have one and all are fresh, or none is: one product may write them.

    Whoever has written them says so: `all_written`.
    """
    if not all(isinstance(need, Place) for need in needs) or len({need.fresh for need in needs}) != 1:
        return None
    return [need.array for need in needs]


def all_written(needs: Sequence[Place]) -> list[Any]:
    """What a vjp returns for parents whose places it has written."""
    for need in needs:
        need.fresh = False
    return [WRITTEN] * len(needs)


def product_gradient(
    need: Any, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False, dtype: Any = None
) -> Any:
    """The product op(A) @ op(B) as a parent's gradient, in its `dtype`: straight into its place where `need` is one."""
    if not isinstance(need, Place):
        return gemm(a, b, transpose_a=transpose_a, transpose_b=transpose_b, dtype=dtype)
    gemm(a, b, transpose_a=transpose_a, transpose_b=transpose_b, out=need.array, accumulate=not need.fresh)
    need.fresh = False
    return WRITTEN
