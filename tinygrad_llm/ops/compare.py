"""Comparisons, logic, and positions: none has a derivative, so nothing is recorded."""

from __future__ import annotations

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import namespace, widened


@op
def less(a, b):
    """a < b."""
    return a < b, None


@op
def less_equal(a, b):
    """a <= b."""
    return a <= b, None


@op
def greater(a, b):
    """a > b."""
    return a > b, None


@op
def greater_equal(a, b):
    """a >= b."""
    return a >= b, None


@op
def equal(a, b):
    """a = b, entry by entry."""
    return namespace(a, b).equal(a, b), None


@op
def not_equal(a, b):
    """a != b, entry by entry."""
    return namespace(a, b).not_equal(a, b), None


@op
def bitwise_and(a, b):
    """Both, of booleans; bit by bit, of integers."""
    return a & b, None


@op
def bitwise_or(a, b):
    """At least one, of booleans; bit by bit, of integers."""
    return a | b, None


@op
def bitwise_not(x):
    """Not, of booleans; every bit inverted, of integers."""
    return ~x, None


@op
def argmax(x, axis=None, keepdims=False):
    """The position of the largest entry along `axis` (in the flattened array where None); the first of equals."""
    return namespace(x).asarray(x.argmax(axis, keepdims=keepdims)), None


@op
def argmin(x, axis=None, keepdims=False):
    """The position of the smallest entry along `axis` (in the flattened array where None); the first of equals."""
    return namespace(x).asarray(x.argmin(axis, keepdims=keepdims)), None


@op
def argsort(x, axis=-1, descending=False):
    """The positions that put x in order along `axis`; equals keep their order, and NaN counts as the largest."""
    xp, x = namespace(x), widened(x)  # neither library sorts bfloat16 for certain
    if not descending:
        return xp.argsort(x, axis, kind="stable"), None
    order = xp.argsort(xp.flip(x, axis), axis, kind="stable")  # flipped twice: equals keep their order
    return xp.flip(x.shape[axis] - 1 - order, axis), None
