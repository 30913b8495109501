"""What an array is here, and which library computes with it.

The array's own type decides where an operation runs: `namespace(x)` is `numpy` for a NumPy array. A second library
joins by registering its array type in `NAMESPACES`; nothing else has to change, and both can be used in one process.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tinygrad_llm.errors import DtypeError

Array: TypeAlias = Any
"""An array of any registered library. A parameter with this annotation is a parent in the eyes of `@op`."""

NAMESPACES: dict[type, Any] = {np.ndarray: np}

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
"""The element types that have gradients. float16 has too little range to train with and is refused."""


def is_array(x: object) -> bool:
    """Whether x is an array of a registered library."""
    return isinstance(x, tuple(NAMESPACES))


def namespace(*xs: Any) -> Any:
    """The library (`numpy`, ...) of the first array among `xs`; NumPy where there is none."""
    for x in xs:
        found = NAMESPACES.get(type(x))
        if found is not None:
            return found
    return np


def plain(x: Any) -> Any:
    """A NumPy scalar as a Python scalar, which never changes an array's dtype; anything else as it is.

    `np.float64(2) * x` turns a float32 array into float64 and costs half the speed; `2.0 * x` does not.
    """
    return x.item() if isinstance(x, np.generic) else x


def as_array(data: Any, dtype: Any = None) -> Array:
    """`data` as an array: lists and Python floats become float32, arrays keep what they are.

    Raises DtypeError for anything but booleans, integers, float32 and float64.
    """
    if is_array(data) and dtype is None:
        array = data
    elif dtype is not None or isinstance(data, np.generic):
        array = np.asarray(data, dtype)
    else:
        array = np.asarray(data)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
    if array.dtype.kind not in "biu" and array.dtype not in FLOATS:
        raise DtypeError(
            "data", "booleans, integers, float32 or float64", array.dtype, "Convert it first: x.astype('float32')."
        )
    return array
