"""The composed form of the fused operations: the same results from elementary operations.

Each function here has a fused one of the same name in this folder, which is faster; a test holds the two equal, in
value and gradient. Read this one first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import namespace, to_device_of
from tinygrad_llm.ops.activation import erf, sigmoid
from tinygrad_llm.ops.activation import tanh as tanh_op
from tinygrad_llm.ops.dropout import dropout
from tinygrad_llm.ops.elementwise import masked_fill, rsqrt, where
from tinygrad_llm.ops.index import gather, getitem
from tinygrad_llm.ops.matmul import matmul
from tinygrad_llm.ops.reduce import mean, var
from tinygrad_llm.ops.shape import concat, split, stack, transpose
from tinygrad_llm.ops.softmax import log_softmax
from tinygrad_llm.ops.softmax import softmax as softmax_op


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b."""
    y = matmul(x, transpose(weight))
    return y if bias is None else y + bias


def joint_linear(x: Tensor, *arrays: Tensor) -> Tensor:
    """Several linear layers of one input, side by side: n weights (O_i, I), then n biases (O_i,) or none."""
    weights, biases = [a for a in arrays if a.ndim == 2], [a for a in arrays if a.ndim == 1]
    some: list[Tensor | None] = [*biases] or [None] * len(weights)
    return concat([linear(x, weight, bias) for weight, bias in zip(weights, some)], axis=-1)


def layer_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(var + eps) * w + b."""
    y = (x - mean(x, -1, keepdims=True)) * rsqrt(var(x, -1, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(x: Tensor, weight: Tensor | None = None, eps: float = 1e-6) -> Tensor:
    """x / sqrt(mean x^2 + eps) * w."""
    y = x * rsqrt(mean(x * x, -1, keepdims=True) + eps)
    return y if weight is None else y * weight


def gelu(x: Tensor, bias: Tensor | None = None, approximate: str = "none") -> Tensor:
    """x Phi(x), of x + b where there is a bias."""
    x = x if bias is None else x + bias
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh_op(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """gate sigmoid(gate) up."""
    return gate * sigmoid(gate) * up


def embedding(weight: Tensor, ids: Any) -> Tensor:
    """weight[ids]."""
    return getitem(weight, index=ids)


def rope(x: Tensor, cos: Any, sin: Any) -> Tensor:
    """x cos + (x with its halves exchanged, the new first one negative) sin."""
    half = x.shape[-1] // 2
    exchanged = concat([-x[..., half:], x[..., :half]], axis=-1)
    cos, sin = (namespace(table).concatenate([table.astype(x.dtype)] * 2, -1) for table in (cos, sin))
    return x * cos + exchanged * sin


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Any = None,
    lengths: Any = None,
    causal: bool = False,
    window: int | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    p: float = 0.0,
    rng: Any = None,
) -> Tensor:
    """softmax(scale q k^T + mask) v, heads of keys and values repeated for the queries that share them."""
    repeats = q.shape[1] // k.shape[1]
    heads = np.repeat(np.arange(k.shape[1]), repeats)
    k, v = (x if repeats == 1 else getitem(x, index=(slice(None), heads)) for x in (k, v))
    scores_BHTS = matmul(q, k.swapaxes(-1, -2)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if softcap is not None:
        scores_BHTS = softcap * tanh_op(scores_BHTS * (1 / softcap))
    allowed = _visible(scores_BHTS, lengths, causal, window)
    array = to_device_of(mask.data if isinstance(mask, Tensor) else mask, q.data)
    if array is not None and array.dtype.kind == "b":
        allowed = allowed & array
    elif mask is not None:
        scores_BHTS = scores_BHTS + mask
    allowed = allowed & (scores_BHTS.data != -math.inf)  # a mask of numbers may hide keys, too
    nowhere = ~allowed.any(-1, keepdims=True)  # a query that may see no key gives 0
    scores_BHTS = masked_fill(masked_fill(scores_BHTS, ~allowed, -math.inf), nowhere, 0.0)
    weights_BHTS = softmax_op(scores_BHTS, axis=-1)
    weights_BHTS = where(nowhere, 0.0, weights_BHTS)
    return matmul(weights_BHTS if rng is None else dropout(weights_BHTS, p=p, rng=rng), v)


def _visible(scores_BHTS: Tensor, lengths: Any, causal: bool, window: int | None) -> Any:
    """Booleans (B, H, T, S), true where the key is none of padding, future, or what the window has left behind."""
    xp, (batch, _, time, source) = namespace(scores_BHTS.data), scores_BHTS.shape
    lengths = np.full(batch, source) if lengths is None else lengths
    allowed = xp.zeros(scores_BHTS.shape, bool)
    for b, length in enumerate(int(n) for n in lengths):
        allowed[b, :, :, :length] = True
        if causal:
            allowed[b] &= xp.tri(time, source, length - time, dtype=bool)
        if window is not None:
            allowed[b] &= ~xp.tri(time, source, length - time - window, dtype=bool)
    return allowed


def packed_attention(
    qkv: Tensor, n_head: int = 1, n_kv_head: int | None = None, causal: bool = True, **options: Any
) -> Tensor:
    """attention on queries, keys and values that one linear layer made side by side."""
    groups = n_kv_head or n_head
    batch, time, width = qkv.shape
    size = width // (n_head + 2 * groups)
    q, k, v = (
        part.reshape(batch, time, -1, size).swapaxes(1, 2)
        for part in split(qkv, [n_head * size, groups * size, groups * size])
    )
    return attention(q, k, v, causal=causal, **options).swapaxes(1, 2).reshape(batch, time, n_head * size)


def rnn(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    h0: Tensor | None = None,
) -> Tensor:
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), step by step."""
    h = _zero_state(x, weight_hh) if h0 is None else h0
    states = []
    for t in range(x.shape[1]):
        h = tanh_op(linear(x[:, t], weight_ih, bias_ih) + linear(h, weight_hh, bias_hh))
        states.append(h)
    return stack(states, axis=1)


def gru(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    h0: Tensor | None = None,
) -> Tensor:
    """h_t = (1 - z) n + z h_(t-1), step by step."""
    h = _zero_state(x, weight_hh) if h0 is None else h0
    states = []
    for t in range(x.shape[1]):
        a_r, a_z, a_n = split(linear(x[:, t], weight_ih, bias_ih), [weight_hh.shape[1]] * 3)
        b_r, b_z, b_n = split(linear(h, weight_hh, bias_hh), [weight_hh.shape[1]] * 3)
        z = sigmoid(a_z + b_z)
        h = (1 - z) * tanh_op(a_n + sigmoid(a_r + b_r) * b_n) + z * h
        states.append(h)
    return stack(states, axis=1)


def lstm(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    h0: Tensor | None = None,
    c0: Tensor | None = None,
) -> Tensor:
    """c_t = f c_(t-1) + i g, h_t = o tanh(c_t), step by step; all h, then all c."""
    h = _zero_state(x, weight_hh) if h0 is None else h0
    c = _zero_state(x, weight_hh) if c0 is None else c0
    states, cells = [], []
    for t in range(x.shape[1]):
        z = linear(x[:, t], weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)
        i, f, g, o = split(z, [weight_hh.shape[1]] * 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh_op(g)
        h = sigmoid(o) * tanh_op(c)
        states.append(h)
        cells.append(c)
    return stack([stack(states, axis=1), stack(cells, axis=1)], axis=0)


def _zero_state(x: Tensor, weight_hh: Tensor) -> Tensor:
    """The state before the first step: zeros (B, F)."""
    return Tensor(namespace(x.data).zeros((x.shape[0], weight_hh.shape[1]), x.dtype))


def cross_entropy(
    logits: Tensor,
    targets: Any,
    weight: Any = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    divisor: float | None = None,
) -> Tensor:
    """The mean of -ln softmax(logits)[target] over the targets that count, each class times its weight."""
    targets, weight = (to_device_of(x.data if isinstance(x, Tensor) else x, logits.data) for x in (targets, weight))
    logp = log_softmax(logits, axis=-1)
    counts = targets != ignore_index
    classes = namespace(counts).where(counts, targets, 0)
    weighted = logp if weight is None else logp * weight
    picked = gather(weighted, classes[..., None], axis=-1)[..., 0]
    losses = -(1 - label_smoothing) * picked - label_smoothing * mean(weighted, -1)
    losses = where(counts, losses, 0.0)
    if reduction == "none":
        return losses if divisor is None else losses / divisor
    if divisor is None and reduction == "mean":
        divisor = int(counts.sum()) if weight is None else float((weight[classes] * counts).sum())
    return losses.sum() / (1 if divisor is None else divisor)


def linear_cross_entropy(x: Tensor, weight: Tensor, targets: Any, **options: Any) -> Tensor:
    """cross_entropy of x W^T."""
    return cross_entropy(linear(x, weight), targets, **options)
