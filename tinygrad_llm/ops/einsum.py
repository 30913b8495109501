"""Einstein summation: a product of arrays, written by naming the axes."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, namespace
from tinygrad_llm.errors import ArgumentError, ShapeError


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """The product of the operands, summed over every letter that the result lacks: einsum("bthk,bshk->bhts", q, k).

    A letter names an axis and has one size everywhere. `...` stands for any axes, which are broadcast. A letter twice
    in one operand takes its diagonal: "ii->" is the trace. Without "->" the result has the broadcast axes, then the
    letters that occur once, in alphabetical order. As NumPy's and PyTorch's, but that a named axis is never broadcast.

    dL/dx is the einsum of g and the other operands onto the letters of x, spread over those that x alone has.
    """
    if not isinstance(subscripts, str) or not operands:
        got = f"{type(subscripts).__name__} and {len(operands)} operands"
        raise ArgumentError("einsum", 'subscripts, then operands, like einsum("ij,jk->ik", a, b)', got)
    return _einsum(*operands, subscripts=subscripts)


@op
def _einsum(*operands, subscripts=""):
    xp = namespace(*operands)
    full, out, broadcast = _one_letter_an_axis(subscripts, [x.shape for x in operands])
    sizes = _sizes(full, [x.shape for x in operands], broadcast)
    # an axis of size 1 that is broadcast is left out of the product; the gradient's reshape puts it back
    kept = [[sizes[c] == n for c, n in zip(spec, x.shape)] for spec, x in zip(full, operands)]
    specs = ["".join(c for c, k in zip(spec, keep) if k) for spec, keep in zip(full, kept)]
    arrays = [x.reshape([n for n, k in zip(x.shape, keep) if k]) for x, keep in zip(operands, kept)]

    def gradient(number: int, g: Array) -> Array:
        spec, others = specs[number], [i for i in range(len(specs)) if i != number]
        letters = "".join(dict.fromkeys(spec))
        found = "".join(c for c in letters if c in out or any(c in specs[i] for i in others))
        inputs = ",".join([out, *(specs[i] for i in others)])
        d = xp.einsum(f"{inputs}->{found}", g, *(arrays[i] for i in others), optimize=True)
        d = xp.asarray(d).reshape([sizes[c] if c in found else 1 for c in letters])
        d = xp.broadcast_to(d, [sizes[c] for c in letters])
        if len(letters) < len(spec):
            d = _on_diagonal(xp, d, letters, spec, arrays[number].shape)
        return d.reshape(operands[number].shape)

    def vjp(g, needs):
        return tuple(gradient(i, g) if need else None for i, need in enumerate(needs))

    return xp.einsum(f"{','.join(specs)}->{out}", *arrays, optimize=True), vjp


def _on_diagonal(xp: Any, d: Array, letters: str, spec: str, shape: tuple[int, ...]) -> Array:
    """Zeros with the axes of `spec`, but d, which has each letter once, where all axes of a letter agree."""
    index = {c: xp.arange(d.shape[i]).reshape([-1 if c == b else 1 for b in letters]) for i, c in enumerate(letters)}
    out = xp.zeros(shape, d.dtype)
    out[tuple(index[c] for c in spec)] = d
    return out


def _one_letter_an_axis(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str, str]:
    """The operands' letters and the result's, with letters of their own for `...`, and those letters."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(shapes):
        raise ArgumentError("subscripts", f"{len(shapes)} operands, separated by commas", repr(subscripts))
    named = [part.replace("...", "", 1) for part in (*parts, right)]
    if not all(c in ascii_letters for c in "".join(named)):
        raise ArgumentError("subscripts", 'letters and "...", like "...ij,jk->...ik"', repr(subscripts))
    extra = [len(shape) - len(letters) for shape, letters in zip(shapes, named)]
    for part, shape, more in zip(parts, shapes, extra):
        if more < 0 or (more and "..." not in part):
            raise ShapeError("subscripts", f"one letter an axis of {shape}", repr(part))
    unused = [c for c in ascii_letters if c not in subscripts]
    dots = "".join(unused[: max((n for n, part in zip(extra, parts) if "..." in part), default=0)])
    specs = [part.replace("...", dots[len(dots) - more :]) for part, more in zip(parts, extra)]
    out = right.replace("...", dots)
    if not arrow:
        together = "".join(named[:-1])
        out = dots + "".join(sorted(c for c in set(together) if together.count(c) == 1))
    if len(set(out)) < len(out) or not set(out) <= set("".join(specs)):
        raise ArgumentError("subscripts", "a result made of the operands' letters, each once", repr(out))
    return specs, out, dots


def _sizes(specs: list[str], shapes: list[tuple[int, ...]], broadcast: str) -> dict[str, int]:
    """The size of every letter.  Raises ShapeError where one has two."""
    sizes: dict[str, int] = {}
    for spec, shape in zip(specs, shapes):
        for c, n in zip(spec, shape):
            if c not in sizes or (c in broadcast and sizes[c] == 1):
                sizes[c] = n
            elif sizes[c] != n and not (c in broadcast and n == 1):
                label = "..." if c in broadcast else f"{c!r}"
                raise ShapeError("einsum", f"one size for {label}", f"{sizes[c]} and {n} in shapes {shapes}")
    return sizes
