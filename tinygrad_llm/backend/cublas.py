"""Products of matrices by cuBLAS, called through ctypes.

CuPy's own `matmul` copies transposed operands, refuses bfloat16 in batches, turns (B, T, C) @ (C, D) into B small
products, and may not be called while a CUDA graph is recorded. cuBLAS itself has none of these limits. So it is called
here directly, with a handle and a workspace of its own.

cuBLAS keeps matrices by columns, we by rows. A matrix that is read the other way round is its transpose, so for C = A B
it is asked for C^T = B^T A^T: the operands change places, and nothing is moved in memory.
Source: cuBLAS documentation, cublasGemmEx and cublasGemmStridedBatchedEx.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.errors import DeviceError, DtypeError, reason

REAL = {"f": 0, "d": 1, "E": 14}
"""cudaDataType_t by NumPy's type code: CUDA_R_32F, CUDA_R_64F, CUDA_R_16BF (library_types.h)."""
COMPUTE_32F, COMPUTE_32F_FAST_TF32, COMPUTE_64F = 68, 77, 70  # cublasComputeType_t
GEMM_DEFAULT = -1  # cublasGemmAlgo_t; tensor cores are used wherever they fit
DEFAULT_MATH, FLOAT32_SUMS = 0, 16  # cublasMath_t: CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION is the second
AS_IT_IS, TRANSPOSED = 0, 1  # cublasOperation_t
WORKSPACE_BYTES = 32 << 20
"""What cuBLAS recommends on Hopper (cublasSetWorkspace). Of our own, so that a recorded graph never allocates."""


@cache
def library() -> Any:
    """The shared library.  Raises DeviceError where it is not found."""
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
    except (ImportError, OSError, RuntimeError) as error:
        raise DeviceError(
            "cublas",
            "the CUDA toolkit's library",
            f"none ({reason(error)})",
            "pip install 'cupy-cuda13x[ctk]' brings it.",
        ) from error


class Handle:
    """A cuBLAS handle with its workspace, and the stream it was last set to.

    A product that cuBLAS splits along its inner axis, for want of enough rows and columns, is a sum of parts. Left to
    itself it adds parts of bfloat16 in bfloat16, and loses a bit or two; `sums_in_float32` forbids that.
    """

    def __init__(self) -> None:
        self.handle = ctypes.c_void_p()
        _check(library().cublasCreate_v2(ctypes.byref(self.handle)), "cublasCreate")
        self.workspace = load_cupy().cuda.Memory(WORKSPACE_BYTES)  # outside CuPy's pools: it outlives every graph
        self.stream: int | None = None
        self.sums_in_float32(True)

    def sums_in_float32(self, wanted: bool) -> None:
        """Whether the parts of a split product are added in float32; for benchmarks, which ask for the price."""
        mode = FLOAT32_SUMS if wanted else DEFAULT_MATH
        _check(library().cublasSetMathMode(self.handle, ctypes.c_int(mode)), "cublasSetMathMode")

    def on_current_stream(self) -> ctypes.c_void_p:
        """The handle, set to CuPy's current stream. Setting it takes the workspace away: it is given again."""
        stream = load_cupy().cuda.get_current_stream().ptr
        if stream != self.stream:
            _check(library().cublasSetStream_v2(self.handle, ctypes.c_void_p(stream)), "cublasSetStream")
            place = ctypes.c_void_p(self.workspace.ptr)
            size = ctypes.c_size_t(WORKSPACE_BYTES)
            _check(library().cublasSetWorkspace_v2(self.handle, place, size), "cublasSetWorkspace")
            self.stream = stream
        return self.handle


@cache
def handle() -> Handle:
    """The process's handle."""
    return Handle()


def product(left: Array, right: Array, out: Array, *, accumulate: bool = False, tf32: bool = False) -> Array:
    """out = left @ right, or out += left @ right.  (N, I) @ (I, O) -> (N, O), or (B, N, I) @ (B, I, O) -> (B, N, O)

    An operand may be a transposed view, or a batch may repeat one matrix (stride 0): nothing is copied for that.
    bfloat16 is summed in float32; `out` may then be float32 or bfloat16. tf32 rounds float32 factors to ten bits.
    """
    if left.dtype != right.dtype or left.dtype.char not in REAL:
        raise DtypeError("product", "two float arrays of one dtype", f"{left.dtype} and {right.dtype}")
    if not out.size:
        return out
    if not left.shape[-1]:  # a sum over nothing
        out[...] = out if accumulate else 0
        return out
    transpose_a, lda, left = _layout(left)
    transpose_b, ldb, right = _layout(right)
    transpose_c, ldc, target = _layout(out)
    assert not transpose_c and target is out, "a product is written row by row into memory that exists"
    wide = left.dtype.char == "d"
    scalar = ctypes.c_double if wide else ctypes.c_float
    one, beta = scalar(1.0), scalar(1.0 if accumulate else 0.0)
    compute = COMPUTE_64F if wide else COMPUTE_32F_FAST_TF32 if tf32 and left.dtype.char == "f" else COMPUTE_32F
    size = [ctypes.c_int(n) for n in (out.shape[-1], out.shape[-2], left.shape[-1])]

    def matrix(x: Array, leading: int) -> list[Any]:
        place = [ctypes.c_void_p(x.data.ptr), ctypes.c_int(REAL[x.dtype.char]), ctypes.c_int(leading)]
        return place if x.ndim == 2 else [*place, ctypes.c_longlong(x.strides[0] // x.itemsize)]

    arguments = [
        handle().on_current_stream(), ctypes.c_int(transpose_b), ctypes.c_int(transpose_a), *size, ctypes.byref(one),
        *matrix(right, ldb), *matrix(left, lda), ctypes.byref(beta), *matrix(out, ldc),
    ]  # fmt: skip
    tail = [ctypes.c_int(compute), ctypes.c_int(GEMM_DEFAULT)]
    if out.ndim == 2:
        _check(library().cublasGemmEx(*arguments, *tail), "cublasGemmEx")
    else:
        count = ctypes.c_int(out.shape[0])
        _check(library().cublasGemmStridedBatchedEx(*arguments, count, *tail), "cublasGemmStridedBatchedEx")
    return out


def _layout(x: Array) -> tuple[int, int, Array]:
    """(whether the last two axes lie transposed in memory, entries from one line to the next, x or a copy of it)."""
    rows, columns = x.shape[-2:]
    down, across = (stride // x.itemsize for stride in x.strides[-2:])
    if across == 1 or columns == 1:
        if rows == 1 or down >= columns:
            return AS_IT_IS, max(1, columns if rows == 1 else down), x
    if (down == 1 or rows == 1) and (columns == 1 or across >= rows):
        return TRANSPOSED, max(1, rows if columns == 1 else across), x
    return AS_IT_IS, max(1, columns), load_cupy().ascontiguousarray(x)


def batched(left: Array, right: Array, out: Array | None, *, tf32: bool = False) -> Array:
    """left @ right over broadcast leading axes, as `numpy.matmul` has it, at least two axes each."""
    xp = load_cupy()
    shape = (*_broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"{left.shape} @ {right.shape}: the inner sizes differ")
    target = xp.empty(shape, left.dtype) if out is None or not out.flags.c_contiguous else out
    if 0 in (*shape, left.shape[-1]):
        target.fill(0)
    elif right.ndim == 2 and left.ndim > 2 and left.flags.c_contiguous:  # one large product instead of many small ones
        product(left.reshape(-1, left.shape[-1]), right, target.reshape(-1, shape[-1]), tf32=tf32)
    elif len(shape) == 2:
        product(left, right, target, tf32=tf32)
    else:
        count = math.prod(shape[:-2])
        product(
            _one_batch_axis(left, shape[:-2]),
            _one_batch_axis(right, shape[:-2]),
            target.reshape(count, *shape[-2:]),
            tf32=tf32,
        )
    if out is not None and target is not out:
        out[...] = target
    return target if out is None else out


def _broadcast_shapes(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    length = max(len(a), len(b))
    pairs = zip((1,) * (length - len(a)) + a, (1,) * (length - len(b)) + b)
    out = []
    for p, q in pairs:
        if p != q and 1 not in (p, q):
            raise ValueError(f"leading axes {a} and {b} cannot be broadcast")
        out.append(q if p == 1 else p)
    return tuple(out)


def _one_batch_axis(x: Array, leading: tuple[int, ...]) -> Array:
    """x (..., N, I) with all its leading axes, broadcast to `leading`, in one: a view where the strides allow it."""
    xp = load_cupy()
    if math.prod(x.shape[:-2]) == 1:  # one matrix for all: stride 0
        return xp.broadcast_to(x.reshape(x.shape[-2:]), (math.prod(leading), *x.shape[-2:]))
    x = xp.broadcast_to(x, (*leading, *x.shape[-2:]))
    return x.reshape(-1, *x.shape[-2:])  # CuPy copies where no view will do


def _check(status: int, call: str) -> None:
    if status:
        raise DeviceError(call, "success", f"cuBLAS status {status}", "See cublasStatus_t in cuBLAS's documentation.")
