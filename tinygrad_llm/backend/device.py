"""Devices by name: "cpu", and "cuda" where a GPU library is registered."""

from __future__ import annotations

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.errors import DeviceError

DEVICES = ("cpu", "cuda", "auto")


def check_device(device: str) -> str:
    """`device` where it can be used; "auto" becomes the best that is here.

    Raises DeviceError where it cannot.
    """
    if device in ("cpu", "auto"):
        return "cpu"
    if device == "cuda":
        raise DeviceError("device", "cpu", "cuda", "This version computes on the CPU only: leave --device out.")
    raise DeviceError("device", " or ".join(DEVICES), repr(device))


def device_of(array: Array) -> str:
    """The name of the device that holds `array`."""
    return "cpu"


def to_device(array: Array, device: str) -> Array:
    """`array` on `device`: the same array where it is there already."""
    check_device(device)
    return array
