"""A GPT's weights as the CPU's decoding step wants them: what does not depend on the token is done beforehand.

    the mean of the stream  is always 0: a norm subtracts it anyway, so every layer that adds to the residual stream
                            (embeddings, o_proj, down_proj) has the mean over its outputs taken out of its weights,
                            and a norm is x / sqrt(mean x^2 + eps)
    a norm's gain and bias  are multiplied into the layer behind it: W (w * n + b) = (W * w) n + W b
    1/sqrt(K)               is multiplied into the queries' weights
    GELU's cubic            c1 h + c3 h^3 is (s h)^3 + a (s h) with s = cbrt(c3): up_proj is scaled by s, down_proj by
                            1/s

The copies belong to one text or batch of texts: whoever trains on in between is heard by the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.backend import joined
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.nn import MLP, Attention, Embedding, LayerNorm, Linear, TransformerBlock

LARGEST = 1 << 24
"""Weights beyond which their own reading takes so long that the calls around it do not matter."""
OWN_CACHE = 1 << 22
"""Bytes of weights that a core reads from near by again and again."""
GELU_1 = -2 * math.sqrt(2 / math.pi)
GELU_3 = GELU_1 * 0.044715
GELU_SCALE = math.cbrt(GELU_3)
"""gelu(h) = h / (1 + exp(GELU_1 h + GELU_3 h^3)): the tanh form with one exponential."""


@dataclass(frozen=True)
class Folded:
    """x -> x W^T + b, after a norm x / sqrt(mean x^2 + eps) where there is an eps."""

    weight: np.ndarray
    bias: np.ndarray | None
    eps: float | None = None


class FoldedGPT:
    """tokens (V, D), places (block_size, D): the embeddings.  blocks: qkv, o, up and down of each.  head.

    size  how many weights a token is multiplied by.
    """

    def __init__(self, model: GPT, batch: int) -> None:
        self.embedding, self.n_head = model.token_embedding, model.config.n_head
        self.tokens = _centred(model.token_embedding.weight.data, 1)
        self.places = _centred(model.position_embedding.weight.data, 1)
        self.dtype = self.tokens.dtype
        self.size = _size(model)
        self.by_columns = batch > 1 or self.size * self.dtype.itemsize > OWN_CACHE
        self.memory = np.empty(self.size if self.by_columns else 0, self.dtype)  # _placed cuts matrices off its front
        self.blocks = [self._block(block) for block in model.blocks]
        self.head = self._folded(*_behind(model.norm, model.head()[0].data, None), model.norm)

    def _block(self, block: Any) -> tuple[Folded, Folded, Folded, Folded]:
        attention, mlp = block.attention, block.mlp
        up = _behind(block.norm_2, mlp.up_proj.weight.data, _data(mlp.up_proj), GELU_SCALE)
        return (
            self._folded(*_queries_keys_values(attention, block.norm_1), block.norm_1),
            self._folded(*_into_stream(attention.o_proj)),
            self._folded(*up, block.norm_2),
            self._folded(*_into_stream(mlp.down_proj, 1 / GELU_SCALE)),
        )

    def _folded(self, weight: np.ndarray, bias: np.ndarray | None, norm: LayerNorm | None = None) -> Folded:
        return Folded(self._placed(weight), bias, None if norm is None else norm.eps)

    def _placed(self, weight: np.ndarray) -> np.ndarray:
        """The matrix as OpenBLAS reads it fastest.

        For several rows at once, or where it is too large for a core's own cache: column by column, all matrices in one
        piece of memory in the order in which they are read. That takes half to three quarters of the time.
        """
        if not self.by_columns:
            return weight
        place, self.memory = self.memory[: weight.size], self.memory[weight.size :]
        copy = place.reshape(weight.shape[::-1]).T
        for row in range(0, len(weight), 16):  # quicker than at once, where a column's numbers share few lines of cache
            copy[row : row + 16] = weight[row : row + 16]
        return copy


def can_be_folded(model: Any) -> bool:
    """Whether it is a GPT on the CPU, not too large, all of its parts as GPT makes them: a wrapped or replaced part is
    of another class."""
    if type(model) is not GPT or model.device != "cpu" or type(model.norm) is not LayerNorm:
        return False
    if not type(model.token_embedding) is type(model.position_embedding) is Embedding:
        return False
    return all(map(_is_gpts, model.blocks)) and _size(model) <= LARGEST


def _is_gpts(block: Any) -> bool:
    if type(block) is not TransformerBlock or type(block.attention) is not Attention or type(block.mlp) is not MLP:
        return False
    if not type(block.norm_1) is type(block.norm_2) is LayerNorm:
        return False
    layer = block.attention
    equal = layer.n_kv_head == layer.n_head and layer.value_size == layer.head_size
    plain = layer.rope_base is layer.window is layer.softcap is layer.q_norm is None
    linear = all(type(part) is Linear for part in _linear_parts(block))
    return equal and plain and linear and block.mlp.activation == "gelu_new"


def _linear_parts(block: Any) -> list[Linear]:
    attention, mlp = block.attention, block.mlp
    return [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj, mlp.up_proj, mlp.down_proj]


def _size(model: GPT) -> int:
    """How many weights a token is multiplied by."""
    return model.head()[0].size + sum(part.weight.size for block in model.blocks for part in _linear_parts(block))


def _queries_keys_values(layer: Attention, norm: LayerNorm) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight and bias of the three in one."""
    parts = (layer.q_proj, layer.k_proj, layer.v_proj)
    biases = [part.bias.data for part in parts if part.bias is not None]
    weight, bias = _behind(norm, joined([part.weight.data for part in parts]), joined(biases) if biases else None)
    for array in (weight,) if bias is None else (weight, bias):
        array[: layer.n_head * layer.head_size] *= 1 / math.sqrt(layer.head_size)
    return weight, bias


def _behind(
    norm: LayerNorm, weight: np.ndarray, bias: np.ndarray | None, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray | None]:
    """scale times weight and bias of a linear layer, with the gain and the bias of the norm before it in them."""
    shifts = [] if bias is None else [bias]
    shifts += [] if norm.bias is None else [weight @ norm.bias.data]
    return weight * (norm.weight.data * scale), sum(shifts[1:], shifts[0]) * scale if shifts else None


def _into_stream(layer: Linear, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray | None]:
    """scale times the weight of a linear layer, and its bias, its outputs with the mean 0."""
    weight, bias = _centred(layer.weight.data, 0), _data(layer)
    if scale != 1:
        weight *= scale
    return weight, None if bias is None else _centred(bias, 0)


def _data(layer: Linear) -> np.ndarray | None:
    return None if layer.bias is None else layer.bias.data


def _centred(array: np.ndarray, axis: int) -> np.ndarray:
    """Without its mean over an axis; the mean as a product, which is quicker than `mean`."""
    array = array.swapaxes(0, axis)
    mean = np.full(len(array), 1 / len(array), array.dtype) @ array
    return (array - mean).swapaxes(0, axis)
