"""`tgl doctor`: what is installed, what is missing and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_info

from tinygrad_llm import __version__
from tinygrad_llm.backend.cuda import cuda_problem, describe_gpu
from tinygrad_llm.cli.flags import command
from tinygrad_llm.datasets.download import SOURCES, data_dir
from tinygrad_llm.extras import install
from tinygrad_llm.train.workers import cores

OPTIONAL = {
    "matplotlib": ("curves as PNG", "learn"),
    "pytest": ("the exercises' checks and the tests", "learn"),
    "hypothesis": ("the exercises' checks and the tests", "learn"),
    "ipykernel": ("a chapter as a notebook", "notebook"),
    "jupytext": ("a chapter as a notebook in Jupyter", "notebook"),
    "argcomplete": ("Tab in the shell, `tgl completion`", "learn"),
    "torch": ("only to compare with", "oracle"),
}
"""What it is good for, and the extra that brings it."""


@dataclass(frozen=True)
class DoctorFlags:
    """No flags."""


@command(DoctorFlags, prog="tgl doctor", about="Says what is installed here, and what is missing.")
def main(flags: DoctorFlags) -> int:
    """Prints a line a finding."""
    for name, finding in findings():
        print(f"{name:14}{finding}")
    return 0


def findings() -> Iterator[tuple[str, str]]:
    """What there is, by name."""
    yield (
        "tinygrad_llm",
        f"{__version__} in {os.path.dirname(os.path.dirname(__file__))}",
    )
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "numpy", np.__version__
    for library in threadpool_info():
        if library.get("user_api") == "blas":
            kernel = library.get("architecture", "unknown")
            yield (
                "blas",
                f"{library['internal_api']} {library['version']}, {kernel} kernels, {library['num_threads']} threads",
            )
    held = [name for name in ("OPENBLAS_CORETYPE",) if name in os.environ]
    if held:
        yield "", f"{held[0]}={os.environ[held[0]]} is set: it may hold a new OpenBLAS back; try without"
    yield "cores", str(cores())
    for package, (why, extra) in OPTIONAL.items():
        found = importlib.util.find_spec(package) is not None
        yield package, importlib.metadata.version(package) if found else f"missing ({why}: {install(extra)})"
    problem = cuda_problem()
    yield "cuda", describe_gpu() if problem is None else f"no: {problem.got}. {problem.next_step}"
    here = [s.name for s in SOURCES.values() if (data_dir() / s.file).exists()]
    yield "texts", f"{', '.join(here) or 'none yet (tgl data list)'} in {data_dir()}"
    yield "this folder", "can be written" if _writable() else "cannot be written: choose --out elsewhere"


def _writable() -> bool:
    try:
        with tempfile.TemporaryFile(dir="."):
            return True
    except OSError:
        return False
