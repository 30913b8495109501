"""Losses: one number that says how wrong a model is. No two shapes are ever broadcast here in silence."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.autograd import product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, namespace, row_tiles
from tinygrad_llm.backend.gemm import gemm
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TokenError

IGNORE = -100
"""A target that counts for nothing, PyTorch's default."""
LOGIT_TILE_BYTES = 4 * 1024 * 1024
"""Logits a tile in the fused loss: enough rows for BLAS, and no second array of the logits' size."""


@op
def cross_entropy(logits, targets, ignore_index=IGNORE, label_smoothing=0.0, reduction="mean", divisor=None):
    """-ln softmax(logits)[target], in nats.  (..., V), (...) -> () , or (...) with reduction="none"

    dL/dlogits = (softmax(logits) - q) * weight: q is 1 at the target, or with smoothing e, 1 - e there and e/V
    everywhere. reduction  "mean" over the targets that are not `ignore_index`, "sum", or "none".
    divisor    divides the sum instead of that count: the parts of a split batch then add up to the whole.
    """
    vocabulary = logits.shape[-1] if logits.ndim else 0
    targets_N = _checked_targets(targets, logits.shape[:-1], vocabulary, ignore_index, label_smoothing)
    l_NV = logits.reshape(-1, vocabulary)
    e, total, losses = _losses(l_NV, targets_N, ignore_index, label_smoothing)
    scale = _scale(targets_N, ignore_index, reduction, divisor)

    def vjp(g, needs):
        weight = (g.reshape(-1, 1) if reduction == "none" else g) * scale
        d = e * (weight * (1 / total))
        _subtract_wanted(d, targets_N, ignore_index, label_smoothing, weight)
        return d.reshape(logits.shape), None

    return losses.reshape(targets.shape) if reduction == "none" else losses.sum() * scale, vjp


@op
def linear_cross_entropy(x, weight, targets, ignore_index=IGNORE, label_smoothing=0.0, divisor=None):
    """cross_entropy(x W^T, targets), the mean, fused with the output projection.  (..., D), (V, D), (...) -> ()

    Only one array of the logits' size is kept; their gradient is made tile by tile and used up at once.
    """
    vocabulary, width = weight.shape
    if x.shape[-1:] != (width,):
        raise ShapeError("x", f"(..., D) with D = {width}", x.shape)
    targets_N = _checked_targets(targets, x.shape[:-1], vocabulary, ignore_index, label_smoothing)
    x_ND = x.reshape(-1, width)
    logits_NV = gemm(x_ND, weight, transpose_b=True)
    e, total, losses = _losses(logits_NV, targets_N, ignore_index, label_smoothing, reuse=True)
    scale = _scale(targets_N, ignore_index, "mean", divisor)

    def vjp(g, needs):
        xp = namespace(x)
        dx = xp.empty_like(x_ND) if needs[0] else None
        dw: Any = None
        tiles = list(row_tiles(len(x_ND), vocabulary * x.itemsize, LOGIT_TILE_BYTES))
        for tile in tiles:
            row_weight = g * scale
            d = e[tile] * (row_weight / total[tile])
            _subtract_wanted(d, targets_N[tile], ignore_index, label_smoothing, row_weight)
            if needs[0]:
                gemm(d, weight, out=dx[tile])
            if needs[1] and len(tiles) == 1:
                dw = product_gradient(needs[1], d, x_ND, transpose_a=True)
            elif needs[1]:
                dw = gemm(d, x_ND[tile], transpose_a=True, out=dw, accumulate=dw is not None)
        return dx.reshape(x.shape) if needs[0] else None, dw, None

    return losses.sum() * scale, vjp


def _checked_targets(targets: Any, shape: tuple, vocabulary: int, ignore: int, smoothing: float) -> Array:
    """The targets, flat.  Raises ShapeError, DtypeError, TokenError or ArgumentError."""
    if not hasattr(targets, "dtype") or targets.dtype.kind not in "iu":
        raise DtypeError("targets", "integers", getattr(targets, "dtype", type(targets).__name__))
    if targets.shape != shape:
        raise ShapeError(
            "targets", f"the logits' shape without its last axis, {shape}", targets.shape, "Did you shift them by one?"
        )
    if not 0 <= smoothing < 1:
        raise ArgumentError("label_smoothing", "a number in [0, 1)", smoothing)
    flat = targets.reshape(-1)
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
    top = l_NV.max(-1, keepdims=True, initial=-xp.inf)
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


@op
def mse(prediction, target):
    """mean (prediction - target)^2.  (...), (...) -> ()   dL/dprediction = 2 g (prediction - target) / n =
    -dL/dtarget."""
    _pair("mse", prediction, target)
    difference = prediction - target

    def vjp(g, needs):
        d = difference * (g * (2 / difference.size))
        return d, -d if needs[1] else None

    return (difference * difference).mean(dtype=difference.dtype), vjp


@op
def binary_cross_entropy(logits, targets):
    """mean of -t ln s(x) - (1 - t) ln(1 - s(x)), s the sigmoid, targets in [0, 1].  (...), (...) -> ()

    Written as max(x, 0) - x t + ln(1 + e^-|x|), which neither overflows nor takes ln 0.
    dL/dx = g (s(x) - t) / n, dL/dt = -g x / n.
    """
    _pair("binary_cross_entropy", logits, targets)
    xp = namespace(logits)
    small = xp.exp(-xp.abs(logits))
    losses = xp.maximum(logits, 0) - logits * targets + xp.log1p(small)

    def vjp(g, needs):
        share = g * (1 / losses.size)
        s = xp.where(logits >= 0, xp.ones_like(small), small) / (1 + small)
        return share * (s - targets), -share * logits if needs[1] else None

    return losses.mean(dtype=losses.dtype), vjp


@op
def kl_divergence(log_p, log_q, reduction="mean"):
    """KL(p || q) = sum_c p_c (ln p_c - ln q_c) over the last axis, in nats.  (..., C), (..., C) -> ()

    Both are logarithms of distributions, as log_softmax gives them. reduction: "mean" over the leading axes, or "sum".
    dL/dlog_q = -g p,  dL/dlog_p = g p (ln p - ln q + 1).  Where p is 0 the term is 0.
    """
    _pair("kl_divergence", log_p, log_q)
    if reduction not in ("mean", "sum"):
        raise ArgumentError("reduction", "'mean' or 'sum'", repr(reduction))
    xp = namespace(log_p)
    p = xp.exp(log_p)
    difference = xp.where(p > 0, log_p, 0) - xp.where(p > 0, log_q, 0)
    scale = 1.0 if reduction == "sum" else log_p.shape[-1] / log_p.size

    def vjp(g, needs):
        share = g * scale * p
        return share * (difference + 1) if needs[0] else None, -share if needs[1] else None

    return (p * difference).sum() * scale, vjp
