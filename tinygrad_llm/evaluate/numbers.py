"""What statistics of evaluations share: arrays of finite numbers, and shares between 0 and 1."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, DtypeError, NonFiniteError, ShapeError
from tinygrad_llm.shapes import check_shape


def number_array(name: str, values: Any, axes: str = "") -> np.ndarray:
    """The values as an array of float64; `axes` are the letters of `shapes.AXES`, where their number matters.

    Raises DtypeError for what is no number, ShapeError for other axes, DataError for none at all.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's, for lists of several lengths
        raise ShapeError(name, "rows of one length", "several lengths") from None
    if axes:
        check_shape(name, array, axes)
    if not array.size:
        raise DataError(name, "at least one", f"an array of shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise DtypeError(name, "numbers", f"{array.dtype}")
    return array.astype(np.float64)


def finite_array(name: str, values: Any, axes: str = "") -> np.ndarray:
    """As `number_array`; raises NonFiniteError for NaN and infinities among them."""
    array = number_array(name, values, axes)
    if not np.isfinite(array).all():
        raise NonFiniteError(name, "finite numbers", f"{int((~np.isfinite(array)).sum())} that are not")
    return array


def whole_array(name: str, values: Any, axes: str = "") -> np.ndarray:
    """As `finite_array`, as integers of at least 0; raises DataError for others."""
    array = finite_array(name, values, axes)
    if (array < 0).any() or (array % 1).any():
        raise DataError(name, "whole numbers of at least 0", f"{array[(array < 0) | (array % 1 != 0)][0]:g}")
    return array.astype(np.int64)


def label_array(name: str, values: Any, count: int, classes: int) -> np.ndarray:
    """`count` numbers of classes, (N,), as integers.  Raises DataError for one that is none, ShapeError for others."""
    labels = whole_array(name, values, "N")
    if len(labels) != count:
        raise ShapeError(name, f"({count},), one an example", labels.shape)
    if labels.max() >= classes:
        raise DataError(name, f"classes 0 to {classes - 1}", int(labels.max()))
    return labels


def check_open_share(**values: Any) -> None:
    """Raises ArgumentError for a value that is not a number between 0 and 1, both excluded."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
            raise ArgumentError(name, "a number between 0 and 1", repr(value))
