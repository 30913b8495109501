"""01.1  Slopes.

Each operation below returns its result and its slopes: how fast the result moves with each input. `add` is done.

    add(a, b) = a + b        moves by 1 with a, by 1 with b
"""

import math


def add(a, b):
    return a + b, (1.0, 1.0)


def multiply(a, b):
    # >>> the product, and how fast it moves with a and with b
    return a * b, (b, a)
    # <<<


def divide(a, b):
    # >>> the quotient, and its two slopes
    return a / b, (1 / b, -a / b**2)
    # <<<


def tanh(x):
    # >>> math.tanh(x), and its slope, which you can write with the result itself
    y = math.tanh(x)
    return y, (1 - y * y,)
    # <<<


def power(x, exponent):
    # >>> x to a fixed exponent; the exponent is no knob, so there is one slope
    return x**exponent, (exponent * x ** (exponent - 1),)
    # <<<
