"""04.3  Find the leak.

`operation(*arrays)` returns (y, vjp); all arrays are of one dtype, float32 or float64. Write the check that finds a
dtype leak:

    leaks(operation, *arrays)     the list of what has another dtype than the arrays: "value" for y, and "gradient 0",
                                  "gradient 1", … for what vjp(g, needs) returns. Empty if all is well.

vjp returns the gradient of the one array, or a tuple with one an array. Ask for all (needs all True). An operation
may say None for a gradient that it does not have. And mind your own g: a check that passes a float64 g finds leaks
that are its own.
"""

import numpy as np


def leaks(operation, *arrays):
    # >>> a list of names
    dtype = arrays[0].dtype
    y, vjp = operation(*arrays)
    gradients = vjp(np.ones(y.shape, dtype), (True,) * len(arrays))
    if not isinstance(gradients, tuple):
        gradients = (gradients,)
    found = ["value"] if y.dtype != dtype else []
    return found + [f"gradient {i}" for i, d in enumerate(gradients) if d is not None and d.dtype != dtype]
    # <<<
