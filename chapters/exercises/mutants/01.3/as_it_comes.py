# expect: numbers on either side
# means: Each value passes its gradient on when it is met, before everything that was made from it has given its share.
import math


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
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        slope = exponent * self.data ** (exponent - 1)
        return Value(self.data**exponent, (self,), (slope,))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def backward(self):
        seen, stack = {id(self)}, [self]
        self.grad = 1.0
        while stack:
            value = stack.pop(0)
            for parent in value.parents:
                if id(parent) not in seen:
                    parent.grad = 0.0
            for parent, slope in zip(value.parents, value.slopes):
                parent.grad += slope * value.grad
                if id(parent) not in seen:
                    seen.add(id(parent))
                    stack.insert(0, parent)
                    for grandparent, steep in zip(parent.parents, parent.slopes):
                        grandparent.grad = steep * parent.grad

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
