"""Normalization: every position's vector brought to the same size, so that depth does not amplify or extinguish it.

Both work tile by tile: a row takes part in seven passes, and stays in the cache for all of them. Row sums are products
with a vector, which BLAS does four times faster than `sum(-1)`.
"""

from __future__ import annotations

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, fused, is_half, namespace, row_tiles
from tinygrad_llm.errors import ShapeError


def _check(name, x, *parameters):
    for label, p in parameters:
        if not x.ndim or (p is not None and p.shape != x.shape[-1:]):
            raise ShapeError(f"{name} {label}", f"(D,) = {x.shape[-1:]}", None if p is None else p.shape)


@op
def layer_norm(x, weight: Array | None = None, bias: Array | None = None, eps=1e-5):
    """y = (x - mean) / sqrt(var + eps) * w + b, mean and var over the last axis.  (..., D) -> (..., D)

    With n = (x - mean)/sqrt(var + eps) and h = g w:  dL/dx = (h - mean(h) - n mean(h n)) / sqrt(var + eps),
    dL/dw = sum over rows of g n, dL/db = sum over rows of g.  Source: Ba, Kiros and Hinton, "Layer Normalization",
    2016. Beside bfloat16 x, all is computed in float32 and rounded at the end.
    """
    _check("layer_norm", x, ("weight", weight), ("bias", bias))
    if (kernels := fused(x, weight, bias)) is not None:
        return kernels.layer_norm(x, weight, bias, eps)
    if is_half(x.dtype):
        return _in_float32(layer_norm, x, weight, bias, eps=eps)
    xp, width = namespace(x), x.shape[-1]
    rows = x.reshape(-1, width)
    normal, rstd = xp.empty(rows.shape, x.dtype), xp.empty((len(rows), 1), x.dtype)
    y = normal if weight is None and bias is None else xp.empty(rows.shape, x.dtype)
    average = xp.full((width, 1), 1 / width, x.dtype)
    for tile in row_tiles(len(rows), width * x.itemsize):
        n = xp.subtract(rows[tile], rows[tile] @ average, out=normal[tile])
        r = rstd[tile]
        r[...] = xp.multiply(n, n, out=y[tile] if y is not normal else None) @ average
        r += eps
        xp.sqrt(r, out=r)
        xp.divide(1, r, out=r)
        n *= r
        if y is not normal:
            _scale_and_shift(xp, n, weight, bias, y[tile])

    def vjp(g, needs):
        g = g.reshape(rows.shape)
        dx = xp.empty_like(rows) if needs[0] else None
        dw = xp.zeros(width, x.dtype) if needs[1] else None
        scale = average if weight is None else weight[:, None] * (1 / width)
        for tile in row_tiles(len(rows), width * x.itemsize):
            gt, n = g[tile], normal[tile]
            product = gt * n
            if needs[1]:
                dw += xp.ones(len(gt), x.dtype) @ product
            if needs[0]:
                d = dx[tile]
                xp.multiply(n, product @ scale, out=product)
                product += gt @ scale
                h = gt if weight is None else xp.multiply(gt, weight, out=d)
                xp.subtract(h, product, out=d)
                d *= rstd[tile]
        db = xp.ones(len(g), x.dtype) @ g if needs[2] else None
        return dx.reshape(x.shape) if needs[0] else None, dw, db

    return y.reshape(x.shape), vjp


def _scale_and_shift(xp, n, weight, bias, out):
    if weight is None:
        xp.add(n, bias, out=out)
        return
    xp.multiply(n, weight, out=out)
    if bias is not None:
        out += bias


@op
def rms_norm(x, weight: Array | None = None, eps=1e-6):
    """y = x / sqrt(mean(x^2) + eps) * w, the mean over the last axis.  (..., D) -> (..., D)

    With r = 1/sqrt(mean(x^2) + eps), n = x r and h = g w:  dL/dx = r (h - n mean(h n)), dL/dw = sum over rows of g n.
    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """
    _check("rms_norm", x, ("weight", weight))
    if (kernels := fused(x, weight)) is not None:
        return kernels.rms_norm(x, weight, eps)
    if is_half(x.dtype):
        return _in_float32(rms_norm, x, weight, eps=eps)
    xp, width = namespace(x), x.shape[-1]
    rows = x.reshape(-1, width)
    average = xp.full((width, 1), 1 / width, x.dtype)
    rstd = 1 / xp.sqrt((rows * rows) @ average + eps)
    normal = rows * rstd

    def vjp(g, needs):
        g = g.reshape(rows.shape)
        product = g * normal
        dx = None
        if needs[0]:
            scale = average if weight is None else weight[:, None] * (1 / width)
            h = g if weight is None else g * weight
            dx = (rstd * (h - normal * (product @ scale))).reshape(x.shape)
        dw = xp.ones(len(g), x.dtype) @ product if needs[1] else None
        return dx, dw

    y = normal if weight is None else normal * weight
    return y.reshape(x.shape), vjp


def _in_float32(norm, x, *parameters, eps):
    """The same norm of a bfloat16 x in float32; its value and dL/dx rounded."""
    y, vjp32 = norm.array(x.astype("float32"), *parameters, eps=eps)

    def vjp(g, needs):
        dx, *rest = vjp32(g.astype("float32"), needs)
        return dx.astype(x.dtype) if needs[0] else None, *rest

    return y.astype(x.dtype), vjp
