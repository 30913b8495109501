"""Which arrays the kernels are for: `fused(x)` is where they are found by name, or None.

    if (kernels := fused(x)) is not None:
        return kernels.softmax(x)
    ...  # the readable operation

Kernels know float32 and bfloat16 on a GPU. For everything else, float64 above all, the readable operation runs there.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array


def fused(x: Array, *parameters: Array | None) -> Any:
    """The functions of `backend.cuda_ops` where x is float32 or bfloat16 on a GPU, all `parameters` float32."""
    if type(x) is np.ndarray or x.dtype.char not in "fE":
        return None
    if not all(p is None or (type(p) is type(x) and p.dtype.char == "f") for p in parameters):
        return None
    return importlib.import_module("tinygrad_llm.backend.cuda_ops")
