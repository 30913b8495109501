"""A strict stand-in for CuPy over NumPy: what a GPU would refuse, or get wrong in silence, fails here at once.

It is found instead of CuPy where this folder's parent stands first on the path (`make test-standin`). Stricter than CuPy:

* an array never becomes a NumPy array by itself, NumPy's functions refuse it, and lists and NumPy arrays are not mixed in;
* `empty` holds NaN, reductions give arrays without axes, an assignment to one place twice is refused;
* whatever waits for the GPU (`item`, `float`, `bool`, `get`, boolean masks, `nonzero`) is counted;
* while a graph is recorded nothing runs, and what may not be recorded raises; a replay runs what was recorded, no more;
* `RawModule` runs the kernels themselves, compiled by g++, with the real grid, shared memory and arguments.

It offers only what CuPy has, with CuPy's signatures: `tests/backend/test_standin.py` holds both side by side.
"""

import os as _os

import numpy as _np
from cuda_on_cpu.build import cache_folder as _cache_folder

from cupy import cuda
from cupy._array import ndarray
from cupy._functions import *  # noqa: F403
from cupy._kernel import RawModule

__version__ = "stand-in"
_os.environ.setdefault("CUPY_CACHE_DIR", str(_cache_folder()))  # what it keeps there is nothing for a GPU

float32, float64, int32, int64, uint64, bool_ = _np.float32, _np.float64, _np.int32, _np.int64, _np.uint64, _np.bool_
inf, nan, newaxis, pi = _np.inf, _np.nan, _np.newaxis, _np.pi


def is_available() -> bool:
    return cuda.runtime.devices > 0


def get_default_memory_pool() -> cuda.MemoryPool:
    return cuda.MemoryPool()


__all__ = ["RawModule", "cuda", "get_default_memory_pool", "is_available", "ndarray"]
