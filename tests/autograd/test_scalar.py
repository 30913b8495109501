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


BASES = [-math.inf, -8.0, -1.0, -1e-200, -0.0, 0.0, 1e-200, 0.5, 1.0, 8.0, 1e200, math.inf, math.nan]
EXPONENTS = [-math.inf, -400, -3, -2.0, -1, -0.5, 0, 1 / 3, 0.5, 1, 2, 3.0, 400, math.inf, math.nan]


@pytest.mark.parametrize(
    ("base", "exponent", "value", "slope"),
    [
        (-8.0, 1 / 3, math.nan, math.nan), (0.0, -1, math.inf, -math.inf), (-0.0, -1, -math.inf, -math.inf),
        (0.0, 0.5, 0.0, math.inf), (1e200, 2, math.inf, 2e200), (-1e200, 3, -math.inf, math.inf), (math.nan, 0, 1.0, 0.0),
    ],
)  # fmt: skip
def test_a_power_outside_of_the_numbers_is_ieees(base, exponent, value, slope):
    a = Value(base)
    y = a**exponent
    y.backward()
    assert [y.data, a.grad] == pytest.approx([value, slope], nan_ok=True)


def test_a_division_by_nothing_and_an_exponential_without_bound_are_ieees():
    zero, big = Value(0.0), Value(1000.0)
    assert (1 / zero).data == math.inf and (-1 / zero).data == -math.inf and math.isnan((zero / zero).data)
    y = big.exp()
    y.backward()
    assert y.data == big.grad == math.inf


@pytest.mark.oracle
def test_powers_and_exponentials_of_every_kind_of_number_are_pytorchs():
    import torch

    for base in BASES:
        for exponent in EXPONENTS:
            a, t = Value(base), torch.tensor(base, dtype=torch.float64, requires_grad=True)
            ours, theirs = a**exponent, t ** torch.tensor(exponent, dtype=torch.float64)  # no special case for roots
            ours.backward()
            theirs.backward()
            assert [ours.data, a.grad] == pytest.approx([theirs.item(), t.grad.item()], nan_ok=True), (base, exponent)
            assert math.copysign(1, ours.data) == math.copysign(1, theirs.item()) or math.isnan(ours.data)
        a, t = Value(base), torch.tensor(base, dtype=torch.float64, requires_grad=True)
        ours, theirs = a.exp(), t.exp()
        ours.backward()
        theirs.backward()
        assert [ours.data, a.grad] == pytest.approx([theirs.item(), t.grad.item()], nan_ok=True), base


@pytest.mark.parametrize("number", ["x", None, [1.0], 1j, 10**400])
def test_what_is_no_number_is_refused_by_name(number):
    for make in (Value, lambda n: Value(1.0) + n, lambda n: n * Value(1.0), lambda n: Value(2.0) ** n):
        with pytest.raises(ArgumentError, match="expected a"):
            make(number)


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
