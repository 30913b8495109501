# expect: a square and a cube
# means: The slope of the power lacks the exponent as a factor.
import math


def multiply(a, b):
    return a * b, (b, a)


def divide(a, b):
    return a / b, (1 / b, -a / b**2)


def tanh(x):
    y = math.tanh(x)
    return y, (1 - y * y,)


def power(x, exponent):
    return x**exponent, (x ** (exponent - 1),)
