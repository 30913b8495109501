# expect: the way back can be gone twice
# means: vjp wrote into the slope, so that the second way back found it changed.
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
    y = t + 1
    y *= x
    y *= 0.5
    slope *= y
    np.subtract(1, t, out=t)
    slope *= t
    t *= 0.5
    slope -= t
    slope += 1

    def vjp(g, needs):
        return np.multiply(slope, g, out=slope)

    return y, vjp
