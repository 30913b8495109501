"""Products of matrices: almost all of a language model's arithmetic."""

from __future__ import annotations

import math

from tinygrad_llm.autograd import product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, cast, fused, gemm, namespace, sum_rows
from tinygrad_llm.backend import matmul as product
from tinygrad_llm.errors import ShapeError


@op
def matmul(a, b):
    """a @ b.  (..., N, I) @ (..., I, O) -> (..., N, O), leading axes broadcast; a vector is a row on the left, a column
    on the right, and loses that axis again.

    dL/da = g b^T, dL/db = a^T g.
    """
    xp = namespace(a, b)
    if not (a.ndim and b.ndim):
        raise ShapeError("matmul", "at least one axis on each side", f"{a.shape} @ {b.shape}", "Use * for a number.")
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b

    def vjp(g, needs):
        g = xp.expand_dims(g, -1) if b.ndim == 1 else g
        g = xp.expand_dims(g, -2) if a.ndim == 1 else g
        da = product(g, right.swapaxes(-1, -2)) if needs[0] else None
        db = product(left.swapaxes(-1, -2), g) if needs[1] else None
        da = da.sum(tuple(range(da.ndim - 2))).reshape(a.shape) if needs[0] and a.ndim == 1 else da
        db = db.sum(tuple(range(db.ndim - 2))).reshape(b.shape) if needs[1] and b.ndim == 1 else db
        return da, db

    y = product(left, right)
    y = y[..., 0] if b.ndim == 1 else y
    if a.ndim == 1:
        y = y[..., 0] if b.ndim == 1 else y[..., 0, :]
    return y, vjp


@op
def linear(x, weight, bias: Array | None = None):
    """y = x W^T + b.  (..., I), (O, I), (O,) -> (..., O)

    dL/dx = g W, dL/dW = sum over rows of g^T x, dL/db = sum over rows of g. The leading axes are flattened first: one
    large product is faster than many small ones. Beside bfloat16 x, float32 W and b are rounded for the product only:
    their gradients are summed, and stay, in float32.
    """
    outputs, inputs = weight.shape
    if x.shape[-1] != inputs:
        raise ShapeError("x", f"(..., I) with I = {inputs}", x.shape, "The layer was made for another width.")
    if bias is not None and bias.shape != (outputs,):
        raise ShapeError("bias", f"(O,) = ({outputs},)", bias.shape)
    rows = math.prod(x.shape[:-1])
    x_NI = x.reshape(rows, inputs)
    rounded = cast(weight, x.dtype)
    y_NO = gemm(x_NI, rounded, transpose_b=True)
    if bias is not None:
        add_bias(y_NO, bias)

    def vjp(g, needs):
        g_NO = g.reshape(rows, outputs)
        dx = gemm(g_NO, rounded).reshape(x.shape) if needs[0] else None
        dw = product_gradient(needs[1], g_NO, x_NI, transpose_a=True, dtype=weight.dtype) if needs[1] else None
        db = sum_rows(g_NO, bias.dtype) if needs[2] else None
        return dx, dw, db

    return y_NO.reshape(*x.shape[:-1], outputs), vjp


def add_bias(y_NO: Array, bias: Array) -> None:
    """y += bias, in place.  (N, O), (O,)"""
    if (kernels := fused(y_NO, bias)) is not None:
        kernels.add_bias(y_NO, bias)
    else:
        y_NO += bias.astype(y_NO.dtype, copy=False)
