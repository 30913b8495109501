"""Cross-entropy in which the classes have weights: a rare class may count for more."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.backend import Array, namespace, widened
from tinygrad_llm.errors import ArgumentError, GradientError, ShapeError


def weighted_cross_entropy(
    logits: Array, targets_N: Array, weight_V: Array, ignore: int, smoothing: float, reduction: str, divisor: Any
) -> tuple[Array, Any]:
    """-sum_c q_c w_c ln softmax(logits)_c, with q as in `cross_entropy`, and its vjp.

    The mean divides by the sum of the targets' weights, as PyTorch's. With a = sum_c q_c w_c:
    dL/dlogits = (a softmax(logits) - q w) * scale.
    """
    xp, vocabulary = namespace(logits), logits.shape[-1]
    if weight_V.shape != (vocabulary,):
        raise ShapeError("weight", f"(V,) = ({vocabulary},), one for each class", weight_V.shape)
    l_NV = widened(logits.reshape(-1, vocabulary))
    weight_V = weight_V.astype(l_NV.dtype, copy=False)
    counts = targets_N != ignore
    wanted_N = xp.where(counts, targets_N, 0)
    weight_N = xp.where(counts, weight_V[wanted_N], xp.zeros_like(weight_V[:1]))
    shifted = l_NV - l_NV.max(-1, keepdims=True)
    logp_NV = shifted - xp.log(xp.exp(shifted).sum(-1, keepdims=True))
    losses = -(1 - smoothing) * weight_N * xp.take_along_axis(logp_NV, wanted_N[:, None], 1)[:, 0]
    if smoothing:
        losses += -(logp_NV * weight_V).sum(-1) * (smoothing / vocabulary)
    losses = xp.where(counts, losses, xp.zeros_like(losses))  # whatever the logits are: 0 times NaN is NaN
    total = float(weight_N.sum()) if reduction == "mean" and divisor is None else 1.0 if divisor is None else divisor
    if not total:
        raise ArgumentError("weight", "at least one target of a class with a weight", "a sum of 0")
    scale = 1 / float(total)

    def vjp(g, needs):
        if needs[2]:
            next_step = "Class weights are constants here: pass weight.detach()."
            raise GradientError("cross_entropy", "a weight that requires no gradient", "one that does", next_step)
        q_NV = xp.zeros_like(logp_NV)
        q_NV[xp.arange(len(targets_N)), wanted_N] = (1 - smoothing) * weight_N
        q_NV += weight_V * (smoothing / vocabulary)
        d = xp.exp(logp_NV) * q_NV.sum(-1, keepdims=True) - q_NV
        d *= (g.reshape(-1, 1) if reduction == "none" else g) * scale
        d = xp.where(counts[:, None], d, xp.zeros_like(d))
        return d.reshape(logits.shape).astype(logits.dtype, copy=False), None, None

    return (losses.reshape(logits.shape[:-1]) if reduction == "none" else losses.sum()) * scale, vjp
