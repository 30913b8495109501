"""What an array is here, and which library computes with it.

The array's own type decides where an operation runs: `namespace(x)` is `numpy` for a NumPy array and `cupy` for one
that lives on a GPU. A library joins by registering its array type in `NAMESPACES` (CuPy does so in `cuda.py`, when it
is first asked for); both can be used in one process.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np

from tinygrad_llm.errors import DeviceError, DtypeError


@dataclass(frozen=True)
class Operand:
    """In the annotation of a parameter: `@op` takes tensors there.

    on_host    the op moves the array itself, after it has checked the values while they are on the host.
    is_number  the array is computed with: where an op promotes integers, it does so with this one.
    """

    on_host: bool = False
    is_number: bool = True


Array: TypeAlias = Annotated[Any, Operand()]
"""An array of any registered library."""

HostArray: TypeAlias = Annotated[Any, Operand(on_host=True, is_number=False)]
"""An array of integers that the op checks while they are still on the host."""

BoolArray: TypeAlias = Annotated[Any, Operand(is_number=False)]
"""An array of conditions."""

NAMESPACES: dict[type, Any] = {np.ndarray: np}

SUPPORTED = "booleans, integers, float32, float64 or bfloat16"


def is_float(dtype: Any) -> bool:
    """Whether numbers of this type have gradients: float32, float64, bfloat16 (whose code is "E", in `ml_dtypes`)."""
    return dtype.kind == "f" or dtype.char == "E"


def is_supported(dtype: Any) -> bool:
    """Whether operations take this type: booleans, integers, float32, float64 and bfloat16, in this machine's order of
    bytes. float16 has too little range to train with, longdouble is another thing on every machine."""
    return dtype.isnative and (dtype.kind in "biu" or dtype.char in "fdE")


def is_half(dtype: Any) -> bool:
    """Whether this is bfloat16: the range of float32 with eight bits of precision, which tensor cores multiply fast."""
    return dtype.char == "E"


def largest_finite(dtype: Any) -> float:
    """The largest number that is not infinite; NumPy does not know bfloat16's, (2 - 2^-7) 2^127."""
    return (2 - 2.0**-7) * 2.0**127 if is_half(dtype) else float(np.finfo(dtype).max)


def widened(x: Array) -> Array:
    """bfloat16 as float32, for what eight bits do not hold, such as a sum over a vocabulary; others as they are."""
    return x.astype(np.float32) if is_half(x.dtype) else x


def bfloat16() -> np.dtype[Any]:
    """The element type bfloat16, which NumPy knows once `ml_dtypes` is imported.  Raises DeviceError without it."""
    try:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    except ModuleNotFoundError:
        next_step = "pip install ml_dtypes, or stay with float32."
        raise DeviceError("bfloat16", "the package ml_dtypes", "none", next_step) from None


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """A dtype, or its name; "bfloat16" among them.  Raises DtypeError for what is none."""
    if isinstance(dtype, str) and dtype == "bfloat16":
        return bfloat16()
    try:
        return np.dtype(dtype)
    except TypeError as error:
        raise DtypeError("dtype", SUPPORTED, repr(dtype)) from error


def is_array(x: object) -> bool:
    """Whether x is an array of a registered library."""
    return isinstance(x, tuple(NAMESPACES))


def namespace(*xs: Any) -> Any:
    """The library (`numpy`, `cupy`) of the first array among `xs`; NumPy where there is none."""
    for x in xs:
        found = NAMESPACES.get(type(x))
        if found is not None:
            return found
    return np


def where(condition: Array, a: Any, b: Any) -> Array:
    """a where the condition holds, b elsewhere, in their own dtype.

    NumPy's and CuPy's `where`, but that CuPy's has no bfloat16: it answers in float32, and loses nothing by it.
    """
    y = namespace(condition, a, b).where(condition, a, b)
    halves = [x.dtype for x in (a, b) if hasattr(x, "dtype") and is_half(x.dtype)]
    return y.astype(halves[0], copy=False) if halves else y


def python_scalar(x: Any) -> Any:
    """A NumPy scalar as a Python scalar, which never changes an array's dtype; anything else as it is.

    `np.float64(2) * x` turns a float32 array into float64 and costs half the speed; `2.0 * x` does not.
    """
    return x.item() if isinstance(x, np.generic) else x


def positions(values: Any) -> np.ndarray:
    """A list of whole numbers as an array; also one of nothing, which NumPy takes for floats."""
    return np.asarray(values, dtype=None if np.size(values) else np.intp)


def as_array(data: Any, dtype: Any = None) -> Array:
    """`data` as an array: lists and Python floats become float32, arrays keep what they are and where they are, but
    that a foreign order of bytes is turned.

    Raises DtypeError for anything but `SUPPORTED`.
    """
    if is_array(data) and dtype is None:
        array = data
    elif dtype is not None or isinstance(data, np.generic):
        array = namespace(data).asarray(data, dtype=None if dtype is None else as_dtype(dtype))
    else:
        array = np.asarray(data)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not is_supported(array.dtype):
        raise DtypeError("data", SUPPORTED, array.dtype, "Convert it first: x.astype('float32').")
    return array
