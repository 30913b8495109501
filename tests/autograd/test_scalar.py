"""Claims about the engine of one number at a time."""

from __future__ import annotations

import math
import random

import pytest

from tinygrad_llm.autograd import Value
from tinygrad_llm.errors import ArgumentError

UNARY = ["exp", "log", "tanh", "relu"]


def expression(rng: random.Random, leaves: list, functions: dict, depth: int):
    """A random expression of the leaves; `functions` says how log and its like are called."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(leaves)
    kind = rng.choice(["+", "-", "*", "/", "**", "neg", *UNARY])
    a = expression(rng, leaves, functions, depth - 1)
    if kind in ("+", "-", "*", "/"):
        b = expression(rng, leaves, functions, depth - 1)
        safe = b * b + 1.5  # a divisor that is never zero
        return {"+": a + b, "-": a - b, "*": a * b, "/": a / safe}[kind]
    if kind == "**":
        return a**3
    if kind == "neg":
        return 2.0 - a
    inner = functions["tanh"](a)  # keeps exp small and log's argument positive
    return functions[kind](inner + 1.5 if kind == "log" else inner)


@pytest.mark.oracle
def test_a_thousand_random_expressions_have_pytorchs_gradients():
    import torch

    mine = {name: getattr(Value, name) for name in UNARY}
    theirs = {name: getattr(torch, name) for name in UNARY}
    compared = 0
    for seed in range(1000):
        start = [random.Random(seed).uniform(-2, 2) for _ in range(3)]
        values, tensors = (
            [Value(v) for v in start],
            [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in start],
        )
        ours = expression(random.Random(seed), values, mine, 5)
        other = expression(random.Random(seed), tensors, theirs, 5)
        ours.backward()
        gradients = torch.autograd.grad(other, tensors, allow_unused=True)
        assert ours.data == pytest.approx(other.item(), rel=1e-10)
        for v, g in zip(values, gradients):
            assert v.grad == pytest.approx(0.0 if g is None else g.item(), rel=1e-9, abs=1e-12)
            compared += g is not None
    assert compared > 1000


def test_a_value_used_twice_waits_for_both_uses():
    a = Value(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (a.grad, b.grad) == (4.0, 2.0)


def test_a_second_backward_starts_anew():
    a = Value(3.0)
    y = a * a
    y.backward()
    y.backward()
    assert a.grad == 6.0


def test_each_function_has_its_derivative():
    x, h = 0.7, 1e-6
    for name, f in {"exp": math.exp, "log": math.log, "tanh": math.tanh, "relu": lambda v: max(v, 0.0)}.items():
        a = Value(x)
        y = getattr(a, name)()
        y.backward()
        assert y.data == f(x)
        assert a.grad == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-6)


def test_numbers_may_stand_on_either_side():
    a = Value(2.0)
    y = 1 + a * 3 - 4 / a + (5 - a) / 2 - -a
    y.backward()
    assert y.data == 1 + 6 - 2 + 1.5 + 2
    assert a.grad == 3 + 1 - 0.5 + 1
    for f, slope in (
        (lambda v: -v, -1.0),
        (lambda v: 3 / v, -0.75),
        (lambda v: v**-2, -0.25),
        (lambda v: 3 * v - v * 5, -2.0),
    ):
        b = Value(2.0)
        f(b).backward()
        assert b.grad == slope
    assert (-a).data == -2.0 and repr(a) == "Value(2, grad=4.5)"


def test_depth_is_no_limit():
    a = Value(1.0)
    y = a
    for _ in range(50_000):
        y = y + 0.0
    y.backward()
    assert a.grad == 1.0


def test_what_has_no_value_is_refused():
    with pytest.raises(ArgumentError, match="positive"):
        Value(-1.0).log()
    with pytest.raises(ArgumentError, match="exponent"):
        Value(2.0) ** Value(2.0)
    a = Value(0.0)
    (a**0).backward()
    assert a.grad == 0.0


def test_at_the_corners():
    with pytest.raises(ArgumentError, match="positive"):
        Value(0.0).log()
    a = Value(0.0)
    a.relu().backward()
    assert a.grad == 0.0
