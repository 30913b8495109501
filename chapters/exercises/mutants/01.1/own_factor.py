# expect: a product moves with the other factor
# means: The slopes of the product are exchanged: each factor has its own value instead of the other's.
import math


def multiply(a, b):
    return a * b, (a, b)


def divide(a, b):
    return a / b, (1 / b, -a / b**2)


def tanh(x):
    y = math.tanh(x)
    return y, (1 - y * y,)


def power(x, exponent):
    return x**exponent, (exponent * x ** (exponent - 1),)
