"""A decoder's weights as the CPU's decoding step wants them: what does not depend on the token is done beforehand.

    the mean of the stream  is always 0 where norms are LayerNorms: they subtract it anyway, so every layer that adds to
                            the residual stream (embeddings, o_proj, down_proj) has the mean over its outputs taken out
                            of its weights, and a norm is x / sqrt(mean x^2 + eps), as an RMSNorm is
    a norm's gain and bias  are multiplied into the layer behind it: W (w * n + b) = (W * w) n + W b
    1/sqrt(K)               is multiplied into the queries' weights, or into the gain of the queries' own norm
    rotary pairs            rows i and i + K/2 of a head's weights are put side by side: one complex number that RoPE
                            turns by one product. A query's products with keys do not ask in which order they are added
    GELU's cubic            c1 h + c3 h^3 is (s h)^3 + a (s h) with s = cbrt(c3): up_proj is scaled by s, down_proj by
                            1/s
    SwiGLU's sign           silu(g) u is g u / (1 + exp(-g)): gate_proj and up_proj are scaled by -1, g u is the same

The copies belong to one text or batch of texts: whoever trains on in between is heard by the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.backend import joined
from tinygrad_llm.generate.cpu_turns import Turns
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.llama import Llama
from tinygrad_llm.nn import MLP, Attention, Experts, LayerNorm, Linear, RMSNorm, SwiGLU, TransformerBlock

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


@dataclass(frozen=True)
class HeadNorms:
    """x -> x / sqrt(sum x^2 + eps) * gain of each head of queries and of keys: gain (H + G, K), eps (H + G,)."""

    gain: np.ndarray
    eps: np.ndarray


@dataclass(frozen=True)
class FoldedBlock:
    """qkv, norms, window, o: attention; norms None without query-key norms.

    router  None without experts, of which a token goes through `chosen`.
    ups     of the MLP, or of each expert; gate and up side by side where `gated`. downs: as many.
    """

    qkv: Folded
    norms: HeadNorms | None
    window: int | None
    o: Folded
    router: Folded | None
    chosen: int
    ups: list[Folded]
    downs: list[Folded]
    gated: bool


class FoldedDecoder:
    """tokens (V, D), and places (block_size, D) where positions are a table: the embeddings.  blocks, head.

    turns  the rotations of queries and keys, None without RoPE.
    size   how many weights there are in matrices; work: how many of them a token is multiplied by.
    """

    def __init__(self, model: GPT | Llama, batch: int) -> None:
        layer = model.blocks[0].attention
        self.embedding, self.centred = model.token_embedding, type(model.norm) is LayerNorm
        self.n_head, self.n_kv_head, self.head_size = layer.n_head, layer.n_kv_head, layer.head_size
        self.tokens = self._of_stream(model.token_embedding.weight.data, 1)
        self.places = self._of_stream(model.position_embedding.weight.data, 1) if isinstance(model, GPT) else None
        self.dtype = self.tokens.dtype
        self.turns = None
        if layer.rope_base is not None:
            self.turns = Turns(self.head_size, layer.rope_base, layer.rope_scaling, self.dtype)
        self.size, self.work = size_of(model), size_of(model, chosen=True)
        self.by_columns = batch > 1 or self.work * self.dtype.itemsize > OWN_CACHE
        self.memory = np.empty(self.size if self.by_columns else 0, self.dtype)  # _placed cuts matrices off its front
        self.blocks = [self._block(block) for block in model.blocks]
        self.head = self._folded(*_behind(model.norm, model.head()[0].data, None), model.norm)

    def _block(self, block: Any) -> FoldedBlock:
        attention, mlp, norm = block.attention, block.mlp, block.norm_2
        gated = type(mlp) is not MLP
        scale, back = (-1.0, 1.0) if gated else (GELU_SCALE, 1 / GELU_SCALE)
        router, ups, downs = None, [], []
        qkv = self._folded(*self._queries_keys_values(attention, block.norm_1), block.norm_1)
        o = self._folded(*self._into_stream(attention.o_proj))
        if type(mlp) is Experts:
            router = self._folded(*_behind(norm, *_joint(mlp.router)), norm)
        for part in experts_of(mlp):
            up = _joint(part.gate_proj, part.up_proj) if gated else _joint(part.up_proj)
            ups.append(self._folded(*_behind(norm, *up, scale), norm))
            downs.append(self._folded(*self._into_stream(part.down_proj, back)))
        chosen = mlp.chosen if router else 1
        return FoldedBlock(qkv, self._head_norms(attention), attention.window, o, router, chosen, ups, downs, gated)

    def _folded(self, weight: np.ndarray, bias: np.ndarray | None, norm: Any = None) -> Folded:
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

    def _queries_keys_values(self, layer: Attention, norm: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Weight and bias of the three in one."""
        weight, bias = _behind(norm, *_joint(layer.q_proj, layer.k_proj, layer.v_proj))
        turned = (layer.n_head + layer.n_kv_head) * layer.head_size
        for array in (weight,) if bias is None else (weight, bias):
            if layer.q_norm is None:
                array[: layer.n_head * layer.head_size] *= 1 / math.sqrt(layer.head_size)
            if self.turns is not None:
                array[:turned] = _pairs(array[:turned], layer.head_size)
        return weight, bias

    def _head_norms(self, layer: Attention) -> HeadNorms | None:
        """With sqrt(K) in the gain, since it is the sum that is taken and not the mean; and 1/sqrt(K) for queries."""
        if layer.q_norm is None or layer.k_norm is None:
            return None
        size, counts = layer.head_size, (layer.n_head, layer.n_kv_head)
        gains = layer.q_norm.weight.data, layer.k_norm.weight.data * math.sqrt(size)
        gain = np.concatenate([gain for gain, count in zip(gains, counts) for _ in range(count)])
        gain = (gain if self.turns is None else _pairs(gain, size)).reshape(-1, size)
        return HeadNorms(gain, np.repeat([size * layer.q_norm.eps, size * layer.k_norm.eps], counts).astype(self.dtype))

    def _into_stream(self, layer: Linear, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray | None]:
        """scale times the weight of a linear layer, and its bias, its outputs with the mean 0 where all have it."""
        weight, bias = self._of_stream(layer.weight.data, 0), _data(layer)
        if scale != 1:
            weight *= scale
        return weight, None if bias is None else self._of_stream(bias, 0)

    def _of_stream(self, array: np.ndarray, axis: int) -> np.ndarray:
        """A copy, without its mean over an axis where norms subtract that."""
        return _centred(array, axis) if self.centred else array.copy()


def experts_of(mlp: Any) -> list[Any]:
    """The MLPs of a block: one, or the experts."""
    return mlp.experts if type(mlp) is Experts else [mlp]


def size_of(model: GPT | Llama, chosen: bool = False) -> int:
    """How many weights there are in matrices; with `chosen`, how many of them a token is multiplied by."""
    return model.head()[0].size + sum(_size_of_block(block, chosen) for block in model.blocks)


def _size_of_block(block: TransformerBlock, chosen: bool) -> int:
    attention, mlp = block.attention, block.mlp
    parts = [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
    parts += [mlp.router] if isinstance(mlp, Experts) else []
    for part in experts_of(mlp)[: mlp.chosen if chosen and isinstance(mlp, Experts) else None]:
        parts += [part.up_proj, part.down_proj] + ([part.gate_proj] if type(part) is SwiGLU else [])
    return sum(part.weight.size for part in parts)


def _joint(*layers: Linear) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight and bias of the layers in one; all have a bias, or none."""
    biases = [layer.bias.data for layer in layers if layer.bias is not None]
    return joined([layer.weight.data for layer in layers]), joined(biases) if biases else None


def _behind(
    norm: LayerNorm | RMSNorm, weight: np.ndarray, bias: np.ndarray | None, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray | None]:
    """scale times weight and bias of a linear layer, with the gain and the bias of the norm before it in them."""
    shift = norm.bias if isinstance(norm, LayerNorm) else None
    shifts = [] if bias is None else [bias]
    shifts += [] if shift is None else [weight @ shift.data]
    return weight * (norm.weight.data * scale), sum(shifts[1:], shifts[0]) * scale if shifts else None


def _pairs(rows: np.ndarray, size: int) -> np.ndarray:
    """Heads of `size` rows each, in every one the rows i and i + size/2 side by side; a copy."""
    halves = rows.reshape(-1, 2, size // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _data(layer: Linear) -> np.ndarray | None:
    return None if layer.bias is None else layer.bias.data


def _centred(array: np.ndarray, axis: int) -> np.ndarray:
    """Without its mean over an axis; the mean as a product, which is quicker than `mean`."""
    array = array.swapaxes(0, axis)
    mean = np.full(len(array), 1 / len(array), array.dtype) @ array
    return (array - mean).swapaxes(0, axis)
