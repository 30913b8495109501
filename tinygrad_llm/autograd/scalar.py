"""Value: automatic differentiation of one number at a time.

A value refers to the values that it was computed from, with the derivative for each. That is the whole graph.
`backward()` goes through it from the end and multiplies along every path: the chain rule.

Where a result is no finite number it is infinite or NaN, as IEEE 754 and PyTorch have it; a logarithm of 0 and less is
refused.
"""

from __future__ import annotations

import math

import numpy as np

from tinygrad_llm.errors import ArgumentError


class Value:
    """A number with its parents and d(this)/d(parent) for each."""

    __slots__ = ("data", "grad", "parents", "slopes")

    def __init__(self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.grad, self.parents, self.slopes = _number("data", data), 0.0, parents, slopes

    def __add__(self, other: Value | float) -> Value:
        other = _value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = _value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Value:
        if not isinstance(exponent, int | float):
            raise ArgumentError("exponent", "a plain number", repr(exponent), "For x ** y write (y * x.log()).exp().")
        exponent = _number("exponent", exponent)
        slope = exponent * _power(self.data, exponent - 1) if exponent else 0.0
        return Value(_power(self.data, exponent), (self,), (slope,))

    def exp(self) -> Value:
        """e^x, whose slope is itself."""
        try:
            y = math.exp(self.data)
        except OverflowError:
            y = math.inf
        return Value(y, (self,), (y,))

    def log(self) -> Value:
        """ln x, with slope 1/x."""
        if self.data <= 0:
            raise ArgumentError("log", "a positive number", self.data)
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self) -> Value:
        """tanh x, with slope 1 - tanh^2 x."""
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def relu(self) -> Value:
        """max(x, 0), with slope 0 or 1 (0 at the corner)."""
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -_value(other)

    def __truediv__(self, other: Value | float) -> Value:
        return self * _value(other) ** -1.0

    def __rsub__(self, other: float) -> Value:
        return _value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return _value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"Value({self.data:.6g}, grad={self.grad:.6g})"

    def backward(self) -> None:
        """Sets .grad = d(this)/d(v) for every value v that this was made from."""
        order = self._topological_order()
        for value in order:
            value.grad = 0.0
        self.grad = 1.0
        for value in reversed(order):  # a value's gradient is complete before it is passed on
            for parent, slope in zip(value.parents, value.slopes):
                parent.grad += slope * value.grad

    def _topological_order(self) -> list[Value]:
        """Parents before children, without recursion."""
        order: list[Value] = []
        entered: set[int] = set()
        stack = [(self, False)]
        while stack:
            value, done = stack.pop()
            if done:
                order.append(value)
            elif id(value) not in entered:
                entered.add(id(value))
                stack.append((value, True))
                stack.extend((parent, False) for parent in value.parents)
        return order


def _value(x: Value | float) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _number(name: str, x: float) -> float:
    try:
        return float(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(name, "a number that a float can hold", f"{x!r:.40}") from error


def _power(x: float, exponent: float) -> float:
    """x ** exponent.  Infinite where Python divides by zero or overflows, NaN where it turns to complex numbers."""
    try:
        y = x**exponent
    except ArithmeticError:
        y = None
    if isinstance(y, float):
        return y
    with np.errstate(all="ignore"):
        return float(np.float64(x) ** np.float64(exponent))
