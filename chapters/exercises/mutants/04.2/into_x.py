# expect: changed argument
import numpy as np

A, C = 0.7978845608028654, 0.044715


def gelu(x, approximate="tanh"):
    slope = x * x
    slope *= A * C
    t = slope + A
    t *= x
    np.tanh(t, out=t)
    slope *= 3
    slope += A
    x *= 1 + t
    x *= 0.5
    slope *= x
    slope *= 1 - t
    slope += 0.5
    slope += 0.5 * t
    return x, lambda g, needs: g * slope
