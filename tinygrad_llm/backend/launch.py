"""Compiling the kernels and launching them: `launch(file, kernel, grid, block, args)`.

A file is compiled once a process, for the GPU that is there; CuPy keeps the result on disk for the next.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.backend.kernels import source

OPTIONS = ("-std=c++17",)  # without fast math: exp, division and denormal numbers as IEEE 754 has them
FREE_SHARED_BYTES = 48 * 1024
"""Shared memory that every block may have; more has to be asked for."""
NULL = np.uint64(0)


def launch(
    file: str, kernel: str, grid: int | tuple[int, ...], block: int, args: tuple[Any, ...], shared_bytes: int = 0
) -> None:
    """Starts `kernel` of kernels/`file`.cu on the current stream and does not wait for it.

    grid, block    how many blocks (along up to three axes), and threads a block.
    args           arrays (their first element's address is passed, whatever their strides), None for a null pointer,
                   and NumPy scalars of exactly the kernel's types.
    shared_bytes   dynamic shared memory a block.
    """
    function = _function(file, kernel)
    if shared_bytes > max(FREE_SHARED_BYTES, function.max_dynamic_shared_size_bytes):
        function.max_dynamic_shared_size_bytes = shared_bytes
    blocks = (grid,) if isinstance(grid, int) else grid
    function(blocks, (block,), tuple([NULL if a is None else a for a in args]), shared_mem=shared_bytes)


@cache
def _module(file: str) -> Any:
    return load_cupy().RawModule(code=source(file), options=OPTIONS)


@cache
def _function(file: str, kernel: str) -> Any:
    return _module(file).get_function(kernel)
