# expect: no leak
# means: The g of the test itself is float64, and makes the gradients so.
import numpy as np


def leaks(operation, *arrays):
    dtype = arrays[0].dtype
    y, vjp = operation(*arrays)
    gradients = vjp(np.ones(y.shape), (True,) * len(arrays))
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    found = ["value"] if y.dtype != dtype else []
    return found + [f"gradient {i}" for i, d in enumerate(gradients) if d is not None and d.dtype != dtype]
