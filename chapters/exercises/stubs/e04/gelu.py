"""04.2  GELU in three arrays.

    y = ½ x (1 + tanh u),   u = a x + a c x³,   a = sqrt(2/π), c = 0.044715
    dy/dx = ½ (1 + t) + ½ x (1 - t²) u',   t = tanh u,   u' = a + 3 a c x²

As an operation: return (y, vjp), and vjp(g, needs) is g times dy/dx. But never hold more than three new arrays of x's
size at once, and when you return, no more than two: y, and the slope, so that the way back is one product. A hint for
the slope: ½ (1 - t²) x = y (1 - t), since ½ (1 + t) x is y.

x itself must stay as it is, and float32 must stay float32. Never write x**3. (The package's GELU also has an exact
form, with the error function, and takes the bias of the layer below; those are given.)
"""

import numpy as np

from tinygrad_llm.ops.activation import gelu as of_the_package
from tinygrad_llm.course import Todo

A, C = 0.7978845608028654, 0.044715


def gelu(x, bias: np.ndarray | None = None, approximate="none"):
    if approximate == "none":
        return of_the_package.array(x, bias)
    if bias is not None:
        y, vjp = gelu(x + bias, approximate=approximate)

        def of_both(g, needs):
            dx = vjp(g, needs)
            return dx, dx.reshape(-1, len(bias)).sum(0)

        return y, of_both
    raise Todo("(y, vjp), at most three new arrays at once")
