# expect: a quotient
# means: The slope for b lacks its minus sign.
import math


def multiply(a, b):
    return a * b, (b, a)


def divide(a, b):
    return a / b, (1 / b, a / b**2)


def tanh(x):
    y = math.tanh(x)
    return y, (1 - y * y,)


def power(x, exponent):
    return x**exponent, (exponent * x ** (exponent - 1),)
