"""01.3  An engine of your own.

The class below can add, subtract, divide, and apply exp, log and relu. It cannot multiply, take powers or tanh, and
it has no `backward`. Give it these four, and it will do what chapter 01 does: `tgl chapter 01 --mine` runs the
chapter on it.

A `Value` has data, grad (0 until backward), parents, and slopes, one a parent.
"""

import math
from tinygrad_llm.course import Todo


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad, self.parents, self.slopes = float(data), 0.0, parents, slopes

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        raise Todo("a new Value: data, parents, slopes")

    def __pow__(self, exponent):
        raise Todo("`exponent` is a plain number")

    def tanh(self):
        raise Todo("a new Value with one parent")

    def backward(self):
        raise Todo("d(self)/d(value) into .grad of every value; .grad starts anew at 0")

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -as_value(other)

    def __truediv__(self, other):
        return self * as_value(other) ** -1.0

    def __rsub__(self, other):
        return as_value(other) - self

    def __rtruediv__(self, other):
        return as_value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__
