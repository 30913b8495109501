"""The one place where two matrices are multiplied on the hot path.

Every library has its own way to avoid copies of transposed operands, to write into memory that exists, and to add
instead of overwrite. What an op needs is written once, as flags; how it is done belongs to the backend.
"""

from __future__ import annotations

from tinygrad_llm.backend.arrays import Array, namespace


def gemm(
    a: Array,
    b: Array,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
    accumulate: bool = False,
) -> Array:
    """C = op(A) @ op(B), or C += op(A) @ op(B) with `accumulate`.  (N, I) @ (I, O) -> (N, O)

    op(X) is X, or its transpose where the flag says so. A transpose is a flag of the BLAS call and costs no copy.
    Source: Dongarra et al., "A Set of Level 3 Basic Linear Algebra Subprograms", 1990.
    """
    xp = namespace(a)
    left = a.T if transpose_a else a
    right = b.T if transpose_b else b
    if not accumulate:
        return xp.matmul(left, right, out=out)
    out += xp.matmul(left, right)
    return out
