"""Puts the stand-ins into a process: CuPy's by the path, cuBLAS's by hand."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def install() -> None:
    """After this, `device="cuda"` is the stand-in."""
    for folder in (str(HERE.parent), str(HERE)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    import cupy
    from blas import CuBLAS
    from cupy._state import STATE

    from tinygrad_llm.backend import cublas
    from tinygrad_llm.backend.cuda import load_cupy

    assert cupy.__version__ == "stand-in", "CuPy itself was found first"
    blas = CuBLAS(STATE.run)
    cublas.library = lambda: blas
    load_cupy()
