"""cuBLAS over flat memory: what (transpose, leading dimension, stride) say is done exactly, so a wrong layout is wrong here.

A matrix op(X) of r rows and c columns lies by columns: entry (i, j) of X at X[i + j * ld]. Every address that is read or
written must lie inside memory that the caller may use, which `checked` decides.
"""

from __future__ import annotations

import ctypes

import numpy as np

TYPES = {0: "float32", 1: "float64", 14: "bfloat16"}
SPLIT_FROM = 64
"""The inner size from which on a product is taken in two parts."""
ALLOWED = {  # (factors, product): compute types; cublasGemmEx, table of supported types
    ("float32", "float32"): {68, 77},
    ("float64", "float64"): {70},
    ("bfloat16", "bfloat16"): {68},
    ("bfloat16", "float32"): {68},
}


def _number(x):
    return getattr(x, "value", x)


def _dtype(code) -> np.dtype:
    import ml_dtypes

    name = TYPES[_number(code)]
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def _matrices(address, dtype: np.dtype, rows: int, columns: int, ld: int, stride: int, count: int) -> np.ndarray:
    """A view of memory as matrices that lie by columns, `stride` apart.  (count, rows, columns)"""
    assert ld >= max(1, rows), f"leading dimension {ld} for {rows} rows"
    size = (count - 1) * stride + (columns - 1) * ld + rows
    buffer = (ctypes.c_char * (size * dtype.itemsize)).from_address(_number(address))
    return np.ndarray((count, rows, columns), dtype, buffer, 0, tuple(dtype.itemsize * n for n in (stride, 1, ld)))


class CuBLAS:
    """The functions that `backend.cublas` calls. `calls` counts them; `record` is asked to run or keep each product."""

    def __init__(self, run) -> None:
        self.run, self.calls, self.stream, self.workspace, self.mode = run, 0, None, None, 0

    def cublasCreate_v2(self, handle) -> int:
        handle._obj.value = 7
        return 0

    def cublasSetStream_v2(self, handle, stream) -> int:
        self.stream, self.workspace = _number(stream), None  # as cuBLAS: the workspace is the default one again
        return 0

    def cublasSetMathMode(self, handle, mode) -> int:
        assert _number(mode) in (0, 16), "cublasMath_t: the default, or no sums in reduced precision"
        self.mode = _number(mode)
        return 0

    def cublasSetWorkspace_v2(self, handle, place, size) -> int:
        self.workspace = _number(size)
        return 0

    def cublasGemmEx(self, handle, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc, *rest):
        strided = (a, a_type, lda, 0, b, b_type, ldb, 0, beta, c, c_type, ldc, 0, 1)
        return self.cublasGemmStridedBatchedEx(handle, ta, tb, m, n, k, alpha, *strided, *rest)

    def cublasGemmStridedBatchedEx(
        self, handle, ta, tb, m, n, k, alpha, a, a_type, lda, stride_a, b, b_type, ldb, stride_b, beta,
        c, c_type, ldc, stride_c, count, compute, algorithm,
    ) -> int:  # fmt: skip
        assert _number(handle) == 7 and self.workspace, "a handle with a workspace"
        factor, result = _dtype(a_type), _dtype(c_type)
        assert _dtype(b_type) == factor
        assert _number(compute) in ALLOWED[factor.name, result.name], "a combination of types that cuBLAS has not"
        m, n, k, count, mode = *map(_number, (m, n, k, count)), self.mode
        scalars = [x._obj.value for x in (alpha, beta)]
        wanted = ctypes.c_double if factor == np.float64 else ctypes.c_float
        assert all(isinstance(x._obj, wanted) for x in (alpha, beta)), "alpha and beta have the type of the computation"
        wide = np.float64 if factor == np.float64 else np.float32

        def operand(x, flag, rows, columns, ld, stride):
            shape = (columns, rows) if _number(flag) else (rows, columns)
            matrices = _matrices(x, factor, *shape, _number(ld), _number(stride), count).astype(wide, copy=False)
            return matrices.swapaxes(1, 2) if _number(flag) else matrices

        def multiply() -> None:
            left, right = operand(a, ta, m, k, lda, stride_a), operand(b, tb, k, n, ldb, stride_b)
            if _number(compute) == 77:
                left, right = _tf32(left), _tf32(right)
            out = _matrices(c, result, m, n, _number(ldc), _number(stride_c), count).swapaxes(1, 2)
            parts = 1 if mode == 16 or result.name != "bfloat16" or k < SPLIT_FROM else 2
            product = scalars[0] * _summed(right.swapaxes(1, 2), left.swapaxes(1, 2), parts, result)
            out[...] = product if scalars[1] == 0 else product + scalars[1] * out.astype(wide)

        self.calls += 1
        self.run(multiply)
        return 0


def _summed(left: np.ndarray, right: np.ndarray, parts: int, dtype: np.dtype) -> np.ndarray:
    """left @ right (the transposes, as memory has them), in parts along the inner axis that are rounded before they are
    added: what cuBLAS does where it may."""
    if parts == 1:
        return left @ right
    bounds = np.linspace(0, left.shape[2], parts + 1).astype(int)
    pieces = [left[..., a:b] @ right[:, a:b] for a, b in zip(bounds, bounds[1:])]
    return sum(piece.astype(dtype) for piece in pieces).astype(left.dtype)


def _tf32(x: np.ndarray) -> np.ndarray:
    """Ten bits of mantissa, rounded to the nearest."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)
