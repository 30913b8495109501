# expect: float64 is right where the arrays are
# means: It compares with float32, and not with the dtype of the arrays that came in.
import numpy as np


def leaks(operation, *arrays):
    y, vjp = operation(*arrays)
    gradients = vjp(np.ones(y.shape, arrays[0].dtype), (True,) * len(arrays))
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    found = ["value"] if y.dtype != np.float32 else []
    return found + [f"gradient {i}" for i, d in enumerate(gradients) if d is not None and d.dtype != np.float32]
