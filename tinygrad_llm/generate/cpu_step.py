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

What a step has copied belongs to it alone and is freed with it, at once: nothing here refers back to the step. Memory
that the collector of cycles frees some time later would be asked of the system anew for every text, page by page.

A test holds it equal to the model's own forward pass, which runs wherever a model has parts that are not known here, or
so many weights that the calls no longer count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.backend import joined
from tinygrad_llm.generate.cpu_attention import TokenAttention
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.nn import MLP, Attention, LayerNorm, Linear, TransformerBlock

LARGEST = 1 << 24
"""Weights beyond which their own reading takes so long that the calls around it do not matter."""
OWN_CACHE = 1 << 22
"""Bytes of weights that a core reads from near by again and again."""
GELU_1 = -2 * math.sqrt(2 / math.pi)
GELU_3 = GELU_1 * 0.044715
GELU_SCALE = math.cbrt(GELU_3)
"""gelu(h) = h / (1 + exp(GELU_1 h + GELU_3 h^3)): the tanh form with one exponential."""


def cpu_step(model: Any, batch: int) -> CpuStep | None:
    """The step for this model and batch size; None where the model is large, on a GPU, or has other parts."""
    if type(model) is not GPT or model.device != "cpu" or type(model.norm) is not LayerNorm:
        return None
    if not all(map(_is_gpts, model.blocks)):
        return None
    weights = model.head()[0].size + sum(part.weight.size for block in model.blocks for part in _linear_parts(block))
    return CpuStep(model, batch, weights) if weights <= LARGEST else None


def _is_gpts(block: Any) -> bool:
    """Whether CpuStep computes what this block does: a wrapped or replaced part is of another class."""
    if type(block) is not TransformerBlock or type(block.attention) is not Attention or type(block.mlp) is not MLP:
        return False
    if not type(block.norm_1) is type(block.norm_2) is LayerNorm:
        return False
    layer = block.attention
    equal = layer.n_kv_head == layer.n_head and layer.value_size == layer.head_size
    plain = layer.rope_base is None and layer.window is None and layer.softcap is None
    return (
        equal and plain and block.mlp.activation == "gelu_new" and all(type(p) is Linear for p in _linear_parts(block))
    )


def _linear_parts(block: Any) -> list[Linear]:
    attention, mlp = block.attention, block.mlp
    return [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj, mlp.up_proj, mlp.down_proj]


class CpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token."""

    def __init__(self, model: GPT, batch: int, weights: int) -> None:
        self.batch, self.dtype = batch, model.token_embedding.weight.dtype
        self.embedding, self.tokens = model.token_embedding, _centred(model.token_embedding.weight.data, 1)
        self.places = _centred(model.position_embedding.weight.data, 1)
        self.calls: list[Callable[[], Any]] = []
        self.by_columns = batch > 1 or weights * self.dtype.itemsize > OWN_CACHE
        self.memory = np.empty(weights if self.by_columns else 0, self.dtype)
        self.attention = TokenAttention(len(model.blocks), batch, model.config.n_head, self.dtype)
        self.one, self.gelu_1 = (np.array(number, self.dtype) for number in (1, GELU_1 / GELU_SCALE))
        self.x = x = self._new(self.tokens.shape[1])
        block: Any  # of the parts that cpu_step has checked
        for number, block in enumerate(model.blocks):
            self._call(np.add, x, self._attention(block.attention, block.norm_1, number), x)
            self._call(np.add, x, self._mlp(block.mlp, block.norm_2), x)
        head = _behind(model.norm, model.head()[0].data, None)
        self.logits = self._linear(self._normalized(model.norm.eps), *head)

    def first(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """The same for ids that nobody has drawn.  Raises TokenError for one outside the vocabulary."""
        self.embedding(ids_B)
        return self(ids_B, cache)

    def __call__(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """Reads one more token of each row; the cache is the model's KVCache."""
        self.attention.begin(cache)
        self._read(ids_B, cache)
        if not self.attention.safe():
            self.attention.shifted = True
            self._read(ids_B, cache)
        cache.advance(1)
        return self.logits

    def _read(self, ids_B: np.ndarray, cache: Any) -> None:
        self.tokens.take(ids_B, 0, out=self.x, mode="clip")  # ids were drawn from the vocabulary
        self.x += self.places[cache.lengths]
        # exp of a large number: 1 / inf is the 0 that GELU wants; attention tells when its sums overflow
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for call in self.calls:
                call()

    def _new(self, width: int) -> np.ndarray:
        return np.empty((self.batch, width), self.dtype)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Adds a call to the list; the last argument is where its result goes."""
        self.calls.append(partial(function, *arguments))

    def _placed(self, weight: np.ndarray) -> np.ndarray:
        """The matrix as OpenBLAS reads it fastest.

        For several rows at once, or where it is too large for a core's own cache: column by column, all matrices in one
        piece of memory in the order in which they are read. That takes half to three quarters of the time.
        """
        if not self.by_columns:
            return np.ascontiguousarray(weight)
        place, self.memory = self.memory[: weight.size], self.memory[weight.size :]
        copy = place.reshape(weight.shape[::-1]).T
        for row in range(0, len(weight), 16):  # quicker than at once, where a column's numbers share few lines of cache
            copy[row : row + 16] = weight[row : row + 16]
        return copy

    def _linear(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        """x W^T + b."""
        y, weight = self._new(len(weight)), self._placed(weight)
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
            only, out, share, factor = x[0], y[0], 1 / width, np.empty((), self.dtype)
            dot, sqrt, multiply = only.dot, math.sqrt, np.multiply  # names that need no looking up: a third of the time

            def normalize() -> None:
                factor[()] = 1 / sqrt(dot(only) * share + eps)
                multiply(only, factor, out)

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
        up, down = mlp.up_proj, mlp.down_proj
        bias = None if up.bias is None else up.bias.data
        h = self._linear(self._normalized(norm.eps), *_behind(norm, up.weight.data, bias, GELU_SCALE))  # s h
        u = self._new(h.shape[1])
        self._call(np.multiply, h, h, u)
        self._call(np.add, u, self.gelu_1, u)
        self._call(np.multiply, u, h, u)  # GELU_1 h + GELU_3 h^3
        self._call(np.exp, u, u)
        self._call(np.add, u, self.one, u)
        self._call(np.divide, h, u, h)
        return self._linear(h, *_into_stream(down, 1 / GELU_SCALE))

    def _attention(self, layer: Attention, norm: LayerNorm, number: int) -> np.ndarray:
        """The new token's query meets all keys of its row, its own among them."""
        size, parts = layer.head_size, (layer.q_proj, layer.k_proj, layer.v_proj)
        biases = [part.bias.data for part in parts if part.bias is not None]
        weight, bias = _behind(norm, joined([part.weight.data for part in parts]), joined(biases) if biases else None)
        for array in (weight,) if bias is None else (weight, bias):
            array[: layer.n_head * size] *= 1 / math.sqrt(size)
        qkv = self._linear(self._normalized(norm.eps), weight, bias).reshape(self.batch, 3, layer.n_head, size)
        y = self._new(layer.n_head * size)
        y_BH1K = y.reshape(self.batch, layer.n_head, 1, size)
        self.calls.append(partial(self.attention, number, qkv[:, 0, :, None], qkv[:, 1], qkv[:, 2], y_BH1K))
        return self._linear(y, *_into_stream(layer.o_proj))


def _centred(array: np.ndarray, axis: int) -> np.ndarray:
    return array - np.expand_dims(_mean(array.swapaxes(0, axis)), axis)


def _mean(array: np.ndarray) -> np.ndarray:
    """Over the first axis, as a product: quicker than `mean`."""
    return np.full(len(array), 1 / len(array), array.dtype) @ array


def _behind(
    norm: LayerNorm, weight: np.ndarray, bias: np.ndarray | None, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray | None]:
    """scale times weight and bias of a linear layer, with the gain and the bias of the norm before it in them."""
    shifts = [] if bias is None else [bias]
    shifts += [] if norm.bias is None else [weight @ norm.bias.data]
    return weight * (norm.weight.data * scale), sum(shifts[1:], shifts[0]) * scale if shifts else None


def _into_stream(layer: Linear, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray | None]:
    """scale times the weight of a linear layer, and its bias, its outputs with the mean 0."""
    weight = layer.weight.data if scale == 1 else layer.weight.data * scale
    return _centred(weight, 0), None if layer.bias is None else _centred(layer.bias.data, 0)
