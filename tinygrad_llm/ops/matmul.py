"""Products of matrices: the arithmetic of a language model is almost all here."""

from __future__ import annotations

import math

from tinygrad_llm.autograd import product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, cast, fused, gemm, namespace, sum_rows
from tinygrad_llm.backend import matmul as product
from tinygrad_llm.errors import ArgumentError, ShapeError


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
        _add_bias(y_NO, bias)

    def vjp(g, needs):
        g_NO = g.reshape(rows, outputs)
        dx = gemm(g_NO, rounded).reshape(x.shape) if needs[0] else None
        dw = product_gradient(needs[1], g_NO, x_NI, transpose_a=True, dtype=weight.dtype) if needs[1] else None
        db = sum_rows(g_NO, bias.dtype) if needs[2] else None
        return dx, dw, db

    return y_NO.reshape(*x.shape[:-1], outputs), vjp


def _add_bias(y_NO: Array, bias: Array) -> None:
    if (kernels := fused(y_NO, bias)) is not None:
        kernels.add_bias(y_NO, bias)
    else:
        y_NO += bias.astype(y_NO.dtype, copy=False)


@op
def einsum(a, b, subscripts=""):
    """The sum over every letter that the result lacks: einsum(q, k, "bthk,bshk->bhts").  Two operands, explicit result.

    dL/da is the einsum of g and b onto a's letters; a letter that only a has is spread over its axis.
    """
    xp = namespace(a, b)
    spec_a, spec_b, spec_out = _letters(subscripts, a.ndim, b.ndim)

    def onto(g, other, spec_other, spec, shape):
        kept = "".join(c for c in spec if c in spec_out or c in spec_other)
        d = xp.einsum(f"{spec_out},{spec_other}->{kept}", g, other, optimize=True)
        d = d.reshape([size if c in kept else 1 for c, size in zip(spec, shape)])
        return xp.broadcast_to(d, shape)

    def vjp(g, needs):
        da = onto(g, b, spec_b, spec_a, a.shape) if needs[0] else None
        db = onto(g, a, spec_a, spec_b, b.shape) if needs[1] else None
        return da, db

    return xp.einsum(subscripts, a, b, optimize=True), vjp


def _letters(subscripts: str, ndim_a: int, ndim_b: int) -> tuple[str, str, str]:
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if not arrow or len(parts) != 2 or not all(p == "" or p.isalpha() for p in (*parts, out)):
        raise ArgumentError("subscripts", 'two operands and a result, like "ij,jk->ik"', repr(subscripts))
    a, b = parts
    for spec in (a, b, out):
        if len(set(spec)) < len(spec):
            raise ArgumentError("subscripts", "each letter once an operand", repr(spec))
    if not set(out) <= set(a + b):
        raise ArgumentError("subscripts", "a result made of the operands' letters", repr(out))
    if (len(a), len(b)) != (ndim_a, ndim_b):
        raise ShapeError("subscripts", f"{ndim_a} and {ndim_b} letters, one an axis", repr(subscripts))
    return a, b, out
