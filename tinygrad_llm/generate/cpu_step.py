"""One decoding step on the CPU as a list of NumPy calls, made once: the fast twin of `model.next_logits` for one token.

A single token through a small model is so little arithmetic that what surrounds it costs more: new arrays, checks, the
call itself. Here every array exists before the first token, every call is bound to its arrays, and what does not depend
on the token is done beforehand, in copies of the weights:

    the mean of the stream  is always 0: a norm subtracts it anyway, so every layer that adds to the residual stream
                            (embeddings, o_proj, down_proj) has the mean over its outputs taken out of its weights,
                            and a norm is x / sqrt(mean x^2 + eps)
    a norm's gain and bias  are multiplied into the layer behind it: W (w * n + b) = (W * w) n + W b
    1/sqrt(K)               is multiplied into the queries' weights
    GELU's cubic            c1 h + c3 h^3 is (s h)^3 + a (s h) with s = cbrt(c3): up_proj is scaled by s, down_proj by
                            1/s

A test holds it equal to the model's own forward pass, which runs wherever a model has parts that are not known here, or
so many weights that the calls no longer count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.nn import MLP, Attention, LayerNorm, Linear, Module, TransformerBlock

LARGEST = 1 << 24
"""Weights beyond which their own reading takes so long that the calls around it do not matter."""
GELU_1 = -2 * math.sqrt(2 / math.pi)
GELU_3 = GELU_1 * 0.044715
"""gelu(h) = h / (1 + exp(GELU_1 h + GELU_3 h^3)): the tanh form with one exponential."""
GELU_SCALE = math.cbrt(GELU_3)


def cpu_step(model: Any, batch: int) -> CpuStep | None:
    """The step for this model and batch size; None where the model is large, on a GPU, or has other parts."""
    if type(model) is not GPT or model.device != "cpu" or model.n_parameters() > LARGEST:
        return None
    known = (TransformerBlock, Attention, LayerNorm, MLP, Linear)
    parts = [m for block in model.blocks for _, m in block.named_modules()]
    if not all(type(m) in known or not m.parameters() for m in parts):
        return None
    return CpuStep(model, batch) if all(map(_is_gpts, parts)) else None


def _is_gpts(module: Module) -> bool:
    if isinstance(module, Attention):
        grouped = module.n_kv_head != module.n_head or module.value_size != module.head_size
        return not grouped and module.rope_base is None and module.window is None and module.softcap is None
    return not isinstance(module, MLP) or module.activation == "gelu_new"


class CpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token."""

    def __init__(self, model: GPT, batch: int) -> None:
        self.batch, self.dtype = batch, model.token_embedding.weight.dtype
        self.tokens = _centred(model.token_embedding.weight.data, 1)
        self.places = _centred(model.position_embedding.weight.data, 1)
        self.calls: list[Callable[[], Any]] = []
        self.heads = model.config.n_head
        self.room_for_scores, self.ones = np.empty(0, self.dtype), np.empty((0, 1), self.dtype)
        self.x = x = self._new(self.tokens.shape[1])
        block: Any  # of the parts that cpu_step has checked
        for number, block in enumerate(model.blocks):
            self._call(np.add, x, self._attention(block.attention, block.norm_1, number), x)
            self._call(np.add, x, self._mlp(block.mlp, block.norm_2), x)
        head = _behind(model.norm, model.head()[0].data, None)
        self.logits = self._linear(self._normalized(model.norm.eps), *head)

    def __call__(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """Reads one more token of each row; the cache is the model's KVCache."""
        self.tokens.take(ids_B, 0, out=self.x, mode="clip")  # ids were drawn from the vocabulary
        self.cache, lengths = cache, cache.lengths
        self.uniform = cache.uniform()
        self.end = int(lengths[0] if self.uniform else lengths.max()) + 1
        self.x += self.places[self.end - 1] if self.uniform else self.places[lengths]
        self.scores = self._scores()
        with np.errstate(over="ignore"):  # exp of a large number: 1 / inf is the 0 that GELU wants
            for call in self.calls:
                call()
        cache.advance(1)
        return self.logits

    def _new(self, width: int) -> np.ndarray:
        return np.empty((self.batch, width), self.dtype)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Adds a call to the list; the last argument is where its result goes."""
        self.calls.append(partial(function, *arguments))

    def _linear(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        """x W^T + b."""
        y, weight = self._new(len(weight)), np.ascontiguousarray(weight)
        if self.batch == 1:  # the product of a matrix and a vector, with less around it
            self._call(np.dot, weight, x[0], y[0])
        else:
            self._call(np.matmul, x, weight.T, y)
        if bias is not None:
            self._call(np.add, y, bias, y)
        return y

    def _normalized(self, eps: float) -> np.ndarray:
        """x / sqrt(mean x^2 + eps), the mean of x being 0."""
        x, y, width = self.x, self._new(self.x.shape[1]), self.x.shape[1]
        if self.batch == 1:
            only, out, share = x[0], y[0], 1 / width

            def normalize() -> None:
                np.multiply(only, 1 / math.sqrt(only.dot(only) * share + eps), out)

            self.calls.append(normalize)
            return y
        square, number, mean_of = self._new(width), self._new(1), np.full((width, 1), 1 / width, self.dtype)
        self._call(np.multiply, x, x, square)
        self._call(np.dot, square, mean_of, number)
        self._call(np.add, number, eps, number)
        self._call(np.sqrt, number, number)
        self._call(np.divide, x, number, y)
        return y

    def _mlp(self, mlp: MLP, norm: LayerNorm) -> np.ndarray:
        weight, bias = _behind(norm, mlp.up_proj.weight.data, mlp.up_proj.bias)
        scaled = None if bias is None else bias * GELU_SCALE
        h = self._linear(self._normalized(norm.eps), weight * GELU_SCALE, scaled)  # s h
        u = self._new(h.shape[1])
        self._call(np.multiply, h, h, u)
        self._call(np.add, u, GELU_1 / GELU_SCALE, u)
        self._call(np.multiply, u, h, u)  # GELU_1 h + GELU_3 h^3
        self._call(np.exp, u, u)
        self._call(np.add, u, 1, u)
        self._call(np.divide, h, u, h)
        weight, bias = _into_stream(mlp.down_proj)
        return self._linear(h, weight * (1 / GELU_SCALE), bias)

    def _attention(self, layer: Attention, norm: LayerNorm, number: int) -> np.ndarray:
        """The new token's query meets all keys of its row, its own among them."""
        size, parts = layer.head_size, (layer.q_proj, layer.k_proj, layer.v_proj)
        projections = [_behind(norm, part.weight.data, part.bias) for part in parts]
        scales = (1 / math.sqrt(size), 1.0, 1.0)
        weight = np.concatenate([w * s for (w, _), s in zip(projections, scales)])
        biases = [b * s for (_, b), s in zip(projections, scales) if b is not None]
        qkv = self._linear(self._normalized(norm.eps), weight, np.concatenate(biases) if biases else None)
        q_k_v = qkv.reshape(self.batch, 3, self.heads, size)
        q, k, v = q_k_v[:, 0, :, None], q_k_v[:, 1], q_k_v[:, 2]
        out = self._new(self.heads * size)
        y = out.reshape(self.batch, self.heads, 1, size)

        def attend() -> None:
            keys, values = self._remember(number, k, v)
            scores = self.scores
            np.matmul(q, keys.swapaxes(2, 3), scores)
            if not self.uniform:
                unread = np.arange(self.end) > self.cache.lengths[:, None, None, None]
                np.copyto(scores, -math.inf, where=unread)
            np.subtract(scores, np.maximum.reduce(scores, axis=3, keepdims=True), scores)
            np.exp(scores, scores)
            np.matmul(scores, values, y)
            np.divide(y, np.matmul(scores, self.ones), y)  # their sums, quicker than by `sum`

        self.calls.append(attend)
        return self._linear(out, *_into_stream(layer.o_proj))

    def _remember(self, number: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Writes the new keys and values (B, H, K) behind the cached; all of them, (B, H, S, K)."""
        layer = self.cache.layers[number]
        keys, values = layer.keys, layer.values
        if keys is None or keys.shape[2] < self.end:
            keys, values = layer.room(k[:, :, None], v[:, :, None], self.end)
        if self.uniform:
            keys[:, :, self.end - 1], values[:, :, self.end - 1] = k, v
        else:
            rows = np.arange(self.batch)
            keys[rows, :, self.cache.lengths], values[rows, :, self.cache.lengths] = k, v
        return keys[:, :, : self.end], values[:, :, : self.end]

    def _scores(self) -> np.ndarray:
        """Room for (B, H, 1, S) numbers without gaps, which all layers use in turn."""
        count = self.batch * self.heads * self.end
        if count > self.room_for_scores.size:
            self.room_for_scores = np.empty(2 * count, self.dtype)
        if self.end != len(self.ones):
            self.ones = np.ones((self.end, 1), self.dtype)
        return self.room_for_scores[:count].reshape(self.batch, self.heads, 1, self.end)


def _centred(array: np.ndarray, axis: int) -> np.ndarray:
    return array - array.mean(axis, keepdims=True)


def _behind(norm: LayerNorm, weight: np.ndarray, bias: Tensor | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight and bias of a linear layer that has the gain and the bias of the norm before it in them."""
    shifts = [] if bias is None else [bias.data]
    shifts += [] if norm.bias is None else [weight @ norm.bias.data]
    return weight * norm.weight.data, sum(shifts[1:], shifts[0]) if shifts else None


def _into_stream(layer: Linear) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight and bias of a linear layer whose outputs have the mean 0."""
    return _centred(layer.weight.data, 0), None if layer.bias is None else _centred(layer.bias.data, 0)
