"""Devices by name: "cpu", "cuda" for the current GPU, and "auto" for the best that is here."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.backend.cuda import cuda_problem, load_cupy
from tinygrad_llm.errors import DeviceError

DEVICES = ("cpu", "cuda", "auto")


def check_device(device: str) -> str:
    """`device` where it can be used; "auto" becomes "cuda" where a GPU can be used, else "cpu".

    Raises DeviceError where it cannot, with the reason and what to do about it.
    """
    if device not in DEVICES:
        raise DeviceError("device", " or ".join(DEVICES), repr(device))
    if device == "auto":
        device = "cpu" if cuda_problem() is not None else "cuda"
    if device == "cuda":
        load_cupy()
    return device


def device_of(array: Array) -> str:
    """The name of the device that holds `array`."""
    return "cpu" if isinstance(array, np.ndarray | np.generic) else "cuda"


def to_device(array: Array, device: str) -> Array:
    """`array` on `device`: the same array where it is there already, else a copy.

    To the CPU it waits for the GPU to have finished what was asked of it before.
    """
    device = check_device(device)
    if device_of(array) == device:
        return array
    return load_cupy().asarray(array) if device == "cuda" else array.get()


def to_device_of(array: Any, other: Array) -> Any:
    """`array` on the device of `other`; a number or None as it is."""
    return to_device(array, device_of(other)) if hasattr(array, "dtype") else array
