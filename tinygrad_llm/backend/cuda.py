"""The one place that imports CuPy, and only when a GPU is asked for.

CUDA can be missing in three ways, and each has an answer of its own: CuPy is not installed, there is no driver or no
GPU, or the toolkit's libraries are not found.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from tinygrad_llm.backend.arrays import NAMESPACES
from tinygrad_llm.errors import DeviceError, reason
from tinygrad_llm.extras import install

LIBRARIES = ("cublas", "nvrtc", "cudart")
"""What is needed of the CUDA toolkit: products of matrices, the compiler of the kernels, and the runtime."""
BFLOAT16_FROM = 80
"""The compute capability, times ten, from which on tensor cores know bfloat16 and TF32: Ampere."""


def cuda_problem() -> DeviceError | None:
    """Why no GPU can be used here, as the error to raise; None where one can."""
    try:
        cupy = importlib.import_module("cupy")
    except ModuleNotFoundError:
        return _problem(
            "CuPy, which is not installed",
            f"{install('cuda13')}, or cuda12 where the driver is older than 580",
        )
    except ImportError as error:
        return _toolkit_missing(error)
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return _problem(f"no driver that works ({error})", "Install NVIDIA's driver, or compute with --device cpu")
    if not count:
        return _problem("no GPU", "Is one built in, and does nvidia-smi show it? Or compute with --device cpu")
    try:
        find = importlib.import_module("cuda.pathfinder").load_nvidia_dynamic_lib
        for library in LIBRARIES:
            find(library)
    except (ImportError, OSError, RuntimeError) as error:  # DynamicLibNotFoundError is a RuntimeError
        return _toolkit_missing(error)
    return None


def _problem(got: str, next_step: str) -> DeviceError:
    return DeviceError("device cuda", "a GPU that CuPy can use", got, next_step + ".")


def _toolkit_missing(error: Exception) -> DeviceError:
    why = reason(error).partition("\n")[0]
    return _problem(f"CUDA libraries that are missing ({why})", "pip install 'cupy-cuda13x[ctk]' brings them")


@cache
def load_cupy() -> Any:
    """CuPy, ready to compute; its arrays are arrays of ours from now on.  Raises DeviceError where it cannot be."""
    problem = cuda_problem()
    if problem is not None:
        raise problem
    cupy = importlib.import_module("cupy")
    NAMESPACES[cupy.ndarray] = cupy
    return cupy


def free_unused() -> None:
    """Gives back to the GPU what CuPy keeps of arrays that are no longer there."""
    load_cupy().get_default_memory_pool().free_all_blocks()


def compute_capability() -> int:
    """Of the current GPU, times ten: 75 is Turing, 80 Ampere, 90 Hopper, 100 and 120 Blackwell."""
    return int(load_cupy().cuda.Device().compute_capability)


def describe_gpu() -> str:
    """Name, compute capability, memory, driver and runtime of the current GPU, for people."""
    cupy = load_cupy()
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    name = properties["name"]
    free, total = cupy.cuda.Device().mem_info
    driver, runtime = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    return (
        f"{name.decode() if isinstance(name, bytes) else name}, sm_{compute_capability()}, "
        f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free, CuPy {cupy.__version__}, "
        f"driver for CUDA {_version(driver)}, runtime {_version(runtime)}"
    )


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
