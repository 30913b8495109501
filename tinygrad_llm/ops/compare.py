"""Comparisons: booleans, and positions of extremes. Steps have no derivative, so nothing is recorded."""

from __future__ import annotations

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import namespace


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
def argmax(x, axis=None):
    """Where the largest entry along `axis` stands (in the flattened array where None); the first of equals."""
    return namespace(x).asarray(x.argmax(axis)), None


@op
def argmin(x, axis=None):
    """Where the smallest entry along `axis` stands (in the flattened array where None); the first of equals."""
    return namespace(x).asarray(x.argmin(axis)), None
