"""Compiling the kernels and launching them: `launch(file, kernel, grid, block, args)`.

A file is compiled once a process, for the GPU that is there; the result is kept on disk for the next, where CuPy keeps
its own.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.backend.cuda import compute_capability, load_cupy
from tinygrad_llm.backend.kernels import source

OPTIONS = ("-std=c++17",)  # without fast math: exp, division and denormal numbers as IEEE 754 has them
HOPPER = 90
"""The compute capability whose own instructions some files use. They are in no later GPU: files for it are compiled for
"sm_90a", which CuPy does not ask for by itself."""
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
def is_hopper() -> bool:
    """Whether the GPU has the instructions of sm_90a."""
    return compute_capability() == HOPPER


@cache
def _module(file: str) -> Any:
    if file.endswith("_hopper"):
        return load_cupy().RawModule(path=str(_machine_code(source(file), f"sm_{HOPPER}a")))
    return load_cupy().RawModule(code=source(file), options=OPTIONS)


def _machine_code(text: str, target: str) -> Path:
    """The file that a text was compiled to, for exactly this kind of GPU."""
    nvrtc = load_cupy().cuda.nvrtc
    options = (f"-arch={target}", *OPTIONS)
    key = hashlib.sha256(repr((text, options, nvrtc.getVersion())).encode()).hexdigest()
    folder = Path(os.environ.get("CUPY_CACHE_DIR") or Path.home() / ".cupy" / "kernel_cache")
    path = folder / f"tinygrad_llm_{key[:32]}.cubin"
    if not path.exists():
        program = nvrtc.createProgram(text, "kernels.cu", [], [])
        nvrtc.compileProgram(program, options)
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(nvrtc.getCUBIN(program))
        new.replace(path)
        nvrtc.destroyProgram(program)
    return path


@cache
def _function(file: str, kernel: str) -> Any:
    return _module(file).get_function(kernel)
