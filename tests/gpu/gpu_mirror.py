"""Arrays of the host, and the same memory on a GPU: what the kernel cases are launched with.

A case gives NumPy arrays to a kernel: views of larger ones, beginning at this or that address. What matters to a kernel is
kept: arrays that share memory share it there too, and an address has the same remainder by 256 as on the host. So each
piece of memory is copied as a whole, and copied back as a whole.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from tinygrad_llm.backend.launch import launch

ALIGNMENT = 256


class Mirror:
    """`launch` has the signature of `backend.launch.launch`, but takes NumPy arrays; `bring_back` ends it."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.pieces: dict[int, tuple[np.ndarray, Any]] = {}

    def launch(self, file: str, kernel: str, grid: Any, block: int, args: Any, shared_bytes: int = 0) -> None:
        """Starts the kernel on the copies."""
        grid = grid if isinstance(grid, int) else tuple(int(n) for n in np.atleast_1d(grid))
        given = tuple(self.on_gpu(a) if isinstance(a, np.ndarray) and a.ndim else a for a in args)
        launch(file, kernel, grid, int(block), given, shared_bytes)

    def on_gpu(self, a: np.ndarray) -> Any:
        """A flat array on the GPU that begins where `a` does; a kernel is given its address alone."""
        if not a.size:
            return None
        whole = _owner(a)
        place = whole.ctypes.data
        if place not in self.pieces:
            flat = np.ndarray(whole.nbytes, np.uint8, buffer=_bytes(whole))
            there = self.cupy.empty(whole.nbytes + 2 * ALIGNMENT, np.uint8)
            start = (place - there.data.ptr) % ALIGNMENT
            there = there[start : start + whole.nbytes]
            there[...] = self.cupy.asarray(flat)
            self.pieces[place] = flat, there
        host, there = self.pieces[place]
        start = a.ctypes.data - place
        assert 0 <= start < host.nbytes
        usable = (host.nbytes - start) // a.itemsize * a.itemsize
        return there[start : start + usable].view(a.dtype)

    def bring_back(self) -> None:
        """Writes into the host's arrays what the kernels have made of the copies."""
        for host, there in self.pieces.values():
            host[...] = there.get()
        self.pieces.clear()


def _owner(a: np.ndarray) -> np.ndarray:
    """The array whose memory `a` is a view of."""
    while getattr(a, "base", None) is not None:
        a = a.base
    assert isinstance(a, np.ndarray), f"memory of {type(a)}"
    return a


def _bytes(a: np.ndarray) -> Any:
    """Its memory, whatever its shape and strides say."""
    return (ctypes.c_char * a.nbytes).from_address(a.ctypes.data)
