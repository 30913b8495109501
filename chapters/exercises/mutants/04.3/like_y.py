# expect: the value leaks
# means: g was made with the dtype of y, so that a leak in the value leaks into the gradients too.
import numpy as np


def leaks(operation, *arrays):
    dtype = arrays[0].dtype
    y, vjp = operation(*arrays)
    gradients = vjp(np.ones_like(y), (True,) * len(arrays))
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    found = ["value"] if y.dtype != dtype else []
    return found + [f"gradient {i}" for i, d in enumerate(gradients) if d is not None and d.dtype != dtype]
