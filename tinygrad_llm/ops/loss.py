"""Losses: one number that says how wrong a model is. No two shapes are ever broadcast here in silence."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd import product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, HostArray, cast, fused, gemm, namespace, row_tiles, to_device_of, widened
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TokenError
from tinygrad_llm.ops.loss_weighted import weighted_cross_entropy

IGNORE = -100
"""A target that counts for nothing, PyTorch's default."""
LOGIT_TILE_BYTES = 4 * 1024 * 1024
"""Logits a tile in the fused loss: enough rows for BLAS, and no second array of the logits' size."""
TILE_ROWS = 64
"""Rows of a table that a GPU multiplies at once. Tensor cores are fed 16 bytes at a time: beside an odd number of
columns, such as GPT-2's 50257, cuBLAS multiplies at a sixth of its pace."""


@op(accumulates=True, integers="refuse")
def cross_entropy(
    logits, targets: HostArray, weight: Array | None = None,
    ignore_index=IGNORE, label_smoothing=0.0, reduction="mean", divisor=None,
):  # fmt: skip
    """-ln softmax(logits)[target], in nats.  (..., V), (...) -> () , or (...) with reduction="none"

    dL/dlogits = (softmax(logits) - q) * weight: q is 1 at the target, or with smoothing e, 1 - e there and e/V
    everywhere. reduction  "mean" over the targets that are not `ignore_index`, "sum", or "none".
    weight     (V,), one factor a class, constants: see `loss_weighted`.
    divisor    divides the sum instead of that count: the parts of a split batch then add up to the whole.

    A target outside [0, V) raises TokenError; on a GPU already, it is not looked at, and makes the loss NaN. There the
    mean also has to wait for the GPU to count the targets: give a divisor.
    """
    vocabulary = logits.shape[-1] if logits.ndim else 0
    kernels = fused(logits) if vocabulary else None
    targets_N = _checked_targets(targets, logits.shape[:-1], vocabulary, ignore_index, label_smoothing, kernels)
    scale, each = _scale(targets_N, ignore_index, reduction, divisor), reduction == "none"
    targets_N = to_device_of(targets_N, logits)
    if weight is not None:
        return weighted_cross_entropy(logits, targets_N, weight, ignore_index, label_smoothing, reduction, divisor)
    l_NV = logits.reshape(-1, vocabulary)
    if kernels is not None:
        losses, lse = kernels.cross_entropy(l_NV, targets_N, ignore_index, label_smoothing)

        def vjp(g, needs):
            d = namespace(l_NV).empty_like(l_NV)
            kernels.cross_entropy_gradient(l_NV, targets_N, lse, g, scale, ignore_index, label_smoothing, out=d)
            return d.reshape(logits.shape), None
    else:
        e, total, losses = _losses(widened(l_NV), targets_N, ignore_index, label_smoothing)

        def vjp(g, needs):
            weight = (g.reshape(-1, 1) if each else g) * scale
            d = e * (weight * (1 / total))
            _subtract_wanted(d, targets_N, ignore_index, label_smoothing, weight)
            return d.reshape(logits.shape).astype(logits.dtype, copy=False), None

    return (losses.reshape(targets.shape) if each else losses.sum()) * scale, vjp


@op(accumulates=True, integers="refuse")
def linear_cross_entropy(x, weight, targets: HostArray, ignore_index=IGNORE, label_smoothing=0.0, divisor=None):
    """cross_entropy(x W^T, targets), the mean, fused with the output projection.  (..., D), (V, D), (...) -> ()

    Only one array of the logits' size is kept; their gradient is made tile by tile and used up at once. Targets and
    divisor as in `cross_entropy`.
    """
    vocabulary, width = weight.shape
    if x.shape[-1:] != (width,):
        raise ShapeError("x", f"(..., D) with D = {width}", x.shape)
    kernels = fused(x, weight)
    targets_N = _checked_targets(targets, x.shape[:-1], vocabulary, ignore_index, label_smoothing, kernels)
    scale = _scale(targets_N, ignore_index, "mean", divisor)
    targets_N = to_device_of(targets_N, x)
    if kernels is not None:
        return _linear_on_gpu(kernels, x, weight, targets_N, scale, ignore_index, label_smoothing)
    x_ND, rounded = x.reshape(-1, width), cast(weight, x.dtype)
    logits_NV = gemm(x_ND, rounded, transpose_b=True)
    e, total, losses = _losses(widened(logits_NV), targets_N, ignore_index, label_smoothing, reuse=True)

    def vjp(g, needs):
        dx = namespace(x).empty_like(x_ND) if needs[0] else None
        dw: Any = None
        tiles = list(row_tiles(len(x_ND), vocabulary * x.itemsize, LOGIT_TILE_BYTES)) or [slice(0, 0)]
        for tile in tiles:
            row_weight = g * scale
            d = e[tile] * (row_weight / total[tile])
            _subtract_wanted(d, targets_N[tile], ignore_index, label_smoothing, row_weight)
            d = d.astype(x.dtype, copy=False)
            if needs[0]:
                gemm(d, rounded, out=dx[tile])
            if needs[1] and len(tiles) == 1:
                dw = product_gradient(needs[1], d, x_ND, transpose_a=True, dtype=weight.dtype)
            elif needs[1]:
                dw = gemm(d, x_ND[tile], transpose_a=True, out=dw, accumulate=dw is not None, dtype=weight.dtype)
        return dx.reshape(x.shape) if needs[0] else None, dw, None

    return losses.sum() * scale, vjp


def _linear_on_gpu(kernels, x, weight, targets_N, scale, ignore, smoothing):
    """The logits are overwritten by their gradient; who asks for it twice has them computed again.

    Their rows have whole tiles (N, P) of P >= V, of which the loss sees V. The others are products with 0, and stay 0.
    """
    x_ND, vocabulary, table_PD = x.reshape(-1, x.shape[-1]), len(weight), _in_whole_tiles(weight, x.dtype)
    kept = [gemm(x_ND, table_PD, transpose_b=True)]
    losses, lse = kernels.cross_entropy(kept[0][:, :vocabulary], targets_N, ignore, smoothing)

    def vjp(g, needs):
        d_NP = kept.pop() if kept else gemm(x_ND, table_PD, transpose_b=True)
        d_NV = d_NP[:, :vocabulary]
        kernels.cross_entropy_gradient(d_NV, targets_N, lse, g, scale, ignore, smoothing, out=d_NV)
        dx = gemm(d_NP, table_PD).reshape(x.shape) if needs[0] else None
        if needs[1] and len(table_PD) == vocabulary:
            dw = product_gradient(needs[1], d_NP, x_ND, transpose_a=True, dtype="float32")
        else:
            dw = gemm(d_NP, x_ND, transpose_a=True, dtype="float32")[:vocabulary] if needs[1] else None
        return dx, dw, None

    return losses.sum() * scale, vjp


def _in_whole_tiles(weight_VD: Array, dtype: Any) -> Array:
    """(V, D) in another type, with rows of 0 up to a multiple of TILE_ROWS.  -> (P, D)"""
    missing = -len(weight_VD) % TILE_ROWS
    if not missing:
        return cast(weight_VD, dtype)
    table_PD = namespace(weight_VD).empty((len(weight_VD) + missing, weight_VD.shape[1]), dtype)
    table_PD[: len(weight_VD)], table_PD[len(weight_VD) :] = cast(weight_VD, dtype), 0
    return table_PD


def _checked_targets(
    targets: Any, shape: tuple, vocabulary: int, ignore: int, smoothing: float, kernels: Any = None
) -> Array:
    """The targets, flat.  Raises ShapeError, DtypeError, TokenError or ArgumentError."""
    if not hasattr(targets, "dtype") or targets.dtype.kind not in "iu":
        raise DtypeError("targets", "integers", getattr(targets, "dtype", type(targets).__name__))
    if targets.shape != shape:
        raise ShapeError(
            "targets", f"the logits' shape without its last axis, {shape}", targets.shape, "Did you shift them by one?"
        )
    if not 0 <= smoothing <= 1:
        raise ArgumentError("label_smoothing", "a number in [0, 1]", smoothing)
    flat = targets.reshape(-1)
    if kernels is not None and not isinstance(flat, np.ndarray):
        return flat  # on the GPU already: the kernel answers NaN for a target outside
    bad = (flat != ignore) & ((flat < 0) | (flat >= vocabulary))
    if bad.any():
        raise TokenError("target", f"0 to {vocabulary - 1}, or {ignore} to ignore it", int(flat[bad][0]))
    return flat


def _losses(
    l_NV: Array, targets_N: Array, ignore: int, smoothing: float, reuse: bool = False
) -> tuple[Array, Array, Array]:
    """exp(l - max), its row sums (N, 1), and the loss of every row; `reuse` lets exp overwrite l."""
    xp = namespace(l_NV)
    counts = targets_N != ignore
    wanted = xp.where(counts, targets_N, 0)
    top = l_NV.max(-1, keepdims=True) if l_NV.size else xp.full((len(l_NV), 1), -xp.inf, l_NV.dtype)
    picked = xp.take_along_axis(l_NV, wanted[:, None], 1) if l_NV.shape[1] else top
    if smoothing:
        picked = (1 - smoothing) * picked + smoothing * l_NV.mean(-1, keepdims=True, dtype=l_NV.dtype)
    e = xp.subtract(l_NV, top, out=l_NV if reuse else None)
    xp.exp(e, out=e)
    total = e.sum(-1, keepdims=True)
    losses = (xp.log(total) + top - picked)[:, 0]
    return e, total, xp.where(counts, losses, xp.zeros_like(losses))


def _scale(targets_N: Array, ignore: int, reduction: str, divisor: float | None) -> float:
    """What each row's loss is multiplied with."""
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError("reduction", "'mean', 'sum' or 'none'", repr(reduction))
    if divisor is not None:
        return 1 / float(divisor)
    if reduction != "mean":
        return 1.0
    count = int((targets_N != ignore).sum())
    if not count:
        raise ArgumentError("targets", "at least one that is not ignored", "none", "A mean over nothing has no value.")
    return 1 / count


def _subtract_wanted(d_NV: Array, targets_N: Array, ignore: int, smoothing: float, weight: Any) -> None:
    """d -= weight * (wanted distribution), then 0 in the rows that are ignored; in place on an array of the vjp's
    own."""
    xp = namespace(d_NV)
    rows = xp.arange(len(targets_N))
    counts = targets_N != ignore
    if smoothing:
        d_NV -= weight * (smoothing / d_NV.shape[1])
    part = weight * (1 - smoothing)
    d_NV[rows, xp.where(counts, targets_N, 0)] -= part[:, 0] if getattr(part, "ndim", 0) == 2 else part
    if not counts.all():
        d_NV[~counts] = 0


def _pair(name: str, a: Any, b: Any) -> None:
    if a.shape != b.shape:
        raise ShapeError(
            name, f"two equal shapes, the first is {a.shape}", b.shape, "Losses never broadcast: reshape one of them."
        )
    if not a.size:
        raise ShapeError(name, "at least one entry", a.shape)


@op(accumulates=True, integers="refuse")
def mse(prediction, target):
    """mean (prediction - target)^2.  (...), (...) -> ()   dL/dprediction = 2 g (prediction - target) / n =
    -dL/dtarget."""
    _pair("mse", prediction, target)
    difference = widened(prediction) - widened(target)

    def vjp(g, needs):
        d = (difference * (g * (2 / difference.size))).astype(prediction.dtype, copy=False)
        return d, -d if needs[1] else None

    return (difference * difference).mean(dtype=difference.dtype), vjp


@op(accumulates=True, integers="refuse")
def binary_cross_entropy(logits, targets):
    """mean of -t ln s(x) - (1 - t) ln(1 - s(x)), s the sigmoid, targets in [0, 1].  (...), (...) -> ()

    Written as max(x, 0) - x t + ln(1 + e^-|x|), which neither overflows nor takes ln 0.
    dL/dx = g (s(x) - t) / n, dL/dt = -g x / n.
    """
    _pair("binary_cross_entropy", logits, targets)
    xp, dtype = namespace(logits), logits.dtype
    logits, targets = widened(logits), widened(targets)
    small = xp.exp(-xp.abs(logits))
    losses = xp.maximum(logits, 0) - logits * targets + xp.log1p(small)

    def vjp(g, needs):
        share = g * (1 / losses.size)
        s = xp.where(logits >= 0, xp.ones_like(small), small) / (1 + small)
        d, dt = share * (s - targets), -share * logits if needs[1] else None
        return d.astype(dtype, copy=False), None if dt is None else dt.astype(dtype, copy=False)

    return losses.mean(dtype=losses.dtype), vjp


@op(accumulates=True, integers="refuse")
def kl_divergence(log_p, log_q, reduction="mean"):
    """KL(p || q) = sum_c p_c (ln p_c - ln q_c) over the last axis, in nats.  (..., C), (..., C) -> ()

    Both are logarithms of distributions, as log_softmax gives them. reduction: "mean" over the leading axes, or "sum".
    dL/dlog_q = -g p,  dL/dlog_p = g p (ln p - ln q + 1).  Where p is 0 the term is 0.
    """
    _pair("kl_divergence", log_p, log_q)
    if reduction not in ("mean", "sum"):
        raise ArgumentError("reduction", "'mean' or 'sum'", repr(reduction))
    xp, dtype = namespace(log_p), log_p.dtype
    log_p, log_q = widened(log_p), widened(log_q)
    p = xp.exp(log_p)
    difference = xp.where(p > 0, log_p, 0) - xp.where(p > 0, log_q, 0)
    scale = 1.0 if reduction == "sum" else log_p.shape[-1] / log_p.size

    def vjp(g, needs):
        share = g * scale * p
        d = share * (difference + 1) if needs[0] else None
        return None if d is None else d.astype(dtype, copy=False), -share.astype(dtype, copy=False)

    return (p * difference).sum() * scale, vjp
