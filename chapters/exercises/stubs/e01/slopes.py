"""01.1  Slopes.

Each operation below returns its result and its slopes: how fast the result moves with each input. `add` is done.

    add(a, b) = a + b        moves by 1 with a, by 1 with b
"""

import math
from tinygrad_llm.course import Todo


def add(a, b):
    return a + b, (1.0, 1.0)


def multiply(a, b):
    raise Todo("the product, and how fast it moves with a and with b")


def divide(a, b):
    raise Todo("the quotient, and its two slopes")


def tanh(x):
    raise Todo("math.tanh(x), and its slope, which you can write with the result itself")


def power(x, exponent):
    raise Todo("x to a fixed exponent; the exponent is no knob, so there is one slope")
