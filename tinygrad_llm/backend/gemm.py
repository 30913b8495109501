"""The one place where matrices are multiplied on the hot path.

Every library has its own way to avoid copies of transposed operands, to write into memory that exists, and to add
instead of overwrite. What an op needs is written once, as flags; how it is done belongs to the backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from tinygrad_llm.backend import cublas
from tinygrad_llm.backend.arrays import Array, is_half, namespace, widened
from tinygrad_llm.backend.threads import is_large, threads_for_large_product

TF32: ContextVar[bool] = ContextVar("tinygrad_llm_tf32", default=False)


@contextmanager
def tf32_products(wanted: bool = True) -> Iterator[None]:
    """Within this block products of float32 on a GPU round their factors to TF32: ten bits of mantissa, not 23.

    Sums stay in float32. On the CPU nothing changes.
    """
    token = TF32.set(wanted)
    try:
        yield
    finally:
        TF32.reset(token)


def gemm(
    a: Array,
    b: Array,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
    accumulate: bool = False,
    dtype: object = None,
) -> Array:
    """C = op(A) @ op(B), or C += op(A) @ op(B) with `accumulate`.  (N, I) @ (I, O) -> (N, O)

    op(X) is X, or its transpose where the flag says so. A transpose is a flag of the BLAS call and costs no copy.
    dtype  of a new C where there is no `out`; that of A where None. bfloat16 factors may have a float32 product.
    Source: Dongarra et al., "A Set of Level 3 Basic Linear Algebra Subprograms", 1990.
    """
    xp = namespace(a)
    left = a.T if transpose_a else a
    right = b.T if transpose_b else b
    if xp is not np:
        if out is None:
            out = xp.empty((left.shape[0], right.shape[1]), a.dtype if dtype is None else dtype)
        return cublas.product(left, right, out, accumulate=accumulate, tf32=TF32.get())
    if is_half(left.dtype):  # some versions of ml_dtypes round every partial sum
        result = (widened(left) @ widened(right)).astype(
            out.dtype if out is not None else a.dtype if dtype is None else dtype
        )
        return result if out is None else _into(out, result, accumulate)
    if out is None or not accumulate:
        return _product(left, right, out)
    out += _product(left, right)
    return out


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b for arrays of at least two axes, the leading ones broadcast.  (..., N, I) @ (..., I, O) -> (..., N, O)"""
    if namespace(a, b) is not np:
        return cublas.batched(a, b, out, tf32=TF32.get())
    if is_half(a.dtype):
        result = np.matmul(widened(a), widened(b)).astype(a.dtype)
        return result if out is None else _into(out, result, False)
    return _product(a, b, out)


def _product(a: Array, b: Array, out: Array | None = None) -> Array:
    """NumPy's product, on the threads that `threads` grants to one of this size."""
    if is_large(a.shape[-2], a.shape[-1], b.shape[-1]):
        with threads_for_large_product():
            return np.matmul(a, b, out=out)
    return np.matmul(a, b, out=out)


def _into(out: Array, result: Array, accumulate: bool) -> Array:
    out[...] = out + result if accumulate else result
    return out
