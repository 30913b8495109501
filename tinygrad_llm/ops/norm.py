"""Normalization: every position's vector brought to the same size, so that depth does not amplify or extinguish it.

Both work tile by tile: a row takes part in several passes, and stays in the cache for all of them. Row sums are
products with a vector, which BLAS does four times faster than `sum(-1)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd import taken
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, fused, is_half, namespace, row_tiles, sum_rows
from tinygrad_llm.errors import ShapeError


def _check(name, x, *parameters):
    for label, p in parameters:
        if not x.ndim or (p is not None and p.shape != x.shape[-1:]):
            raise ShapeError(f"{name} {label}", f"(D,) = {x.shape[-1:]}", None if p is None else p.shape)


@op(integers="refuse")
def layer_norm(x, weight: Array | None = None, bias: Array | None = None, eps=1e-5):
    """y = (x - mean) / sqrt(var + eps) * w + b, mean and var over the last axis.  (..., D) -> (..., D)

    With n = (x - mean)/sqrt(var + eps) and h = g w:  dL/dx = (h - mean(h) - n mean(h n)) / sqrt(var + eps),
    dL/dw = sum over rows of g n, dL/db = sum over rows of g.  Source: Ba, Kiros and Hinton, "Layer Normalization",
    2016. Beside bfloat16 x, all is computed in float32 and rounded at the end.
    """
    _check("layer_norm", x, ("weight", weight), ("bias", bias))
    if (kernels := fused(x, weight, bias)) is not None:
        return _by_kernel(*kernels.layer_norm(x, weight, bias, eps))
    if is_half(x.dtype):
        return _in_float32(layer_norm, x, weight, bias, eps=eps)
    xp, width = namespace(x), x.shape[-1]
    rows = x.reshape(-1, width)
    normal, rstd = xp.empty(rows.shape, x.dtype), xp.empty((len(rows), 1), x.dtype)
    y = normal if weight is None and bias is None else xp.empty(rows.shape, x.dtype)
    average = xp.full((width, 1), 1 / width, x.dtype)
    for tile in row_tiles(len(rows), width * x.itemsize):
        n, scratch = normal[tile], y[tile] if y is not normal else None
        n *= _inverse_root(xp, _centred(xp, rows[tile], average, n, scratch), eps, rstd[tile])
        if y is not normal:
            _scale_and_shift(xp, n, weight, bias, y[tile])

    def vjp(g, needs):
        g = g.reshape(rows.shape)
        dx, dw = _gradients(g, normal, rstd, weight, needs, centred=True)
        return dx.reshape(x.shape) if needs[0] else None, dw, sum_rows(g) if needs[2] else None

    return y.reshape(x.shape), vjp


FAR = 64.0
"""Where the mean is more than 8 standard deviations from 0, its rounding error matters beside them."""


def _centred(xp: Any, x: Array, average: Array, out: Array, scratch: Array | None) -> Array:
    """Writes x - mean into `out`; returns the mean square of that, (N, 1). A constant row gives 0 exactly."""
    mean = x @ average
    xp.subtract(x, mean, out=out)
    variance = xp.multiply(out, out, out=scratch) @ average
    mean *= mean
    if (mean > FAR * variance).any():
        xp.subtract(x, x[:, :1], out=out)  # what is left of the mean is of the deviations' size
        out -= out @ average
        variance = xp.multiply(out, out, out=scratch) @ average
    return variance


def _inverse_root(xp: Any, square: Array, eps: float, out: Array) -> Array:
    """1 / sqrt(square + eps)."""
    square += eps
    xp.sqrt(square, out=square)
    return xp.divide(1, square, out=out)


def _scale_and_shift(xp, n, weight, bias, out):
    if weight is None:
        xp.add(n, bias, out=out)
        return
    xp.multiply(n, weight, out=out)
    if bias is not None:
        out += bias


@op(integers="refuse")
def rms_norm(x, weight: Array | None = None, eps=1e-6):
    """y = x / sqrt(mean(x^2) + eps) * w, the mean over the last axis.  (..., D) -> (..., D)

    With r = 1/sqrt(mean(x^2) + eps), n = x r and h = g w:  dL/dx = r (h - n mean(h n)), dL/dw = sum over rows of g n.
    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """
    _check("rms_norm", x, ("weight", weight))
    if (kernels := fused(x, weight)) is not None:
        return _by_kernel(*kernels.rms_norm(x, weight, eps))
    if is_half(x.dtype):
        return _in_float32(rms_norm, x, weight, eps=eps)
    xp, width = namespace(x), x.shape[-1]
    rows = x.reshape(-1, width)
    normal, rstd = xp.empty(rows.shape, x.dtype), xp.empty((len(rows), 1), x.dtype)
    y = normal if weight is None else xp.empty(rows.shape, x.dtype)
    average = xp.full((width, 1), 1 / width, x.dtype)
    for tile in row_tiles(len(rows), width * x.itemsize):
        part, n = rows[tile], normal[tile]
        r = _inverse_root(xp, xp.multiply(part, part, out=n) @ average, eps, rstd[tile])
        xp.multiply(part, r, out=n)
        if weight is not None:
            xp.multiply(n, weight, out=y[tile])

    def vjp(g, needs):
        dx, dw = _gradients(g.reshape(rows.shape), normal, rstd, weight, needs, centred=False)
        return dx.reshape(x.shape) if needs[0] else None, dw

    return y.reshape(x.shape), vjp


def _by_kernel(y: Array, vjp: Any) -> tuple:
    """A norm computed by kernels, whose way back adds the gradient of x so far, as `_gradients` does."""
    return y, lambda g, needs: vjp(g, needs, taken(needs[0]))


def _gradients(g: Array, normal: Array, rstd: Array, weight: Array | None, needs: Any, centred: bool) -> tuple:
    """dL/dx = (h - n mean(h n)) rstd, h = g w, with mean(h) subtracted too where `centred`; dL/dw = sum of g n.

    Around a block, x goes on beside the norm, so of its gradient there is a part already: it is added tile by tile.
    """
    xp, width = namespace(g), g.shape[-1]
    dx: Any = xp.empty_like(g) if needs[0] else None
    so_far = taken(needs[0])
    so_far = None if so_far is None else so_far.reshape(g.shape)
    dw = xp.zeros(width, np.float64) if needs[1] else None
    scale = xp.full((width, 1), 1 / width, g.dtype) if weight is None else weight[:, None] * (1 / width)
    for tile in row_tiles(len(g), width * g.itemsize):
        gt, n = g[tile], normal[tile]
        product = gt * n
        if needs[1]:
            dw += xp.ones(len(gt), g.dtype) @ product
        if needs[0]:
            d = dx[tile]
            xp.multiply(n, product @ scale, out=product)
            if centred:
                product += gt @ scale
            h = gt if weight is None else xp.multiply(gt, weight, out=d)
            xp.subtract(h, product, out=d)
            d *= rstd[tile]
            if so_far is not None:
                d += so_far[tile]
    return dx, None if dw is None else dw.astype(g.dtype)


def _in_float32(norm, x, *parameters, eps):
    """The same norm of a bfloat16 x in float32; its value and dL/dx rounded."""
    y, vjp32 = norm.array(x.astype("float32"), *parameters, eps=eps)

    def vjp(g, needs):
        dx, *rest = vjp32(g.astype("float32"), (bool(needs[0]), *needs[1:]))
        return dx.astype(x.dtype) if needs[0] else None, *rest

    return y.astype(x.dtype), vjp
