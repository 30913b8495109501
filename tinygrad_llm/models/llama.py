"""Llama and its kin: a decoder whose parts are chosen by its configuration.

With Llama's choices it is Touvron et al., "LLaMA", 2023; with a sliding window Jiang et al., "Mistral 7B", 2023; with
biases of queries, keys and values Yang et al., "Qwen2 Technical Report", 2024; with norms of queries and keys Yang et
al., "Qwen3 Technical Report", 2025.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.sizes import check_dropout, check_heads, check_sizes
from tinygrad_llm.nn import Attention, Dropout, Embedding, KVCache, Linear, RMSNorm, SwiGLU, TransformerBlock


@dataclass(frozen=True)
class LlamaConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, n_hidden F.

    n_kv_head    G heads of keys and values, each for H/G heads of queries; H where None.
    head_size    K; D / H where None.
    window       the last positions that a position sees, itself among them; all of its past where None.
    window_from  the first layer, counted from 0, that has the window.
    rope_base    base of the rotary positions.
    qkv_bias     biases of queries, keys and values; out_bias of what attention adds, as qkv_bias where None; mlp_bias.
    qk_norm      an RMSNorm over each head of queries and of keys.
    norm_eps     epsilon of all norms.
    tied         the head is the token embedding's own table; otherwise a matrix of its own.
    dropout      of the embeddings, of attention weights, and of what each part adds.
    init_std     standard deviation of the first weights; over sqrt(2 n_layer) where they add to the residual stream.

    What is said although it would hold anyway is None afterwards, so that equal models have equal configurations and
    `replace` changes what depends on it; `groups` and `key_size` say what holds.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    n_kv_head: int | None = None
    head_size: int | None = None
    window: int | None = None
    window_from: int = 0
    rope_base: float = 10_000.0
    qkv_bias: bool = False
    out_bias: bool | None = None
    mlp_bias: bool = False
    qk_norm: bool = False
    norm_eps: float = 1e-6
    tied: bool = False
    dropout: float = 0.0
    init_std: float = 0.02

    def __post_init__(self) -> None:
        check_sizes(self, 6)
        check_dropout(self)
        if self.head_size is None:
            check_heads(self)
        named = {"n_kv_head": self.n_head, "head_size": self.n_embd // self.n_head, "out_bias": self.qkv_bias}
        for name, value in named.items():
            if type(getattr(self, name)) is type(value) and getattr(self, name) == value:
                object.__setattr__(self, name, None)  # frozen: here and never again
        check_sizes(self, names=[n for n in ("n_kv_head", "head_size", "window") if getattr(self, n) is not None])
        if self.n_head % self.groups:
            raise ConfigError("n_kv_head", f"a divisor of n_head = {self.n_head}", self.n_kv_head)
        if self.key_size % 2:
            raise ConfigError("head_size", "an even number: coordinates are rotated in pairs", self.key_size)
        if type(self.window_from) is not int or not 0 <= self.window_from or (self.window is None and self.window_from):
            raise ConfigError("window_from", "a layer, counted from 0; 0 without a window", self.window_from)
        for name in ("rope_base", "norm_eps"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ConfigError(name, "a number above 0", repr(value))

    @property
    def groups(self) -> int:
        """G, the heads of keys and values."""
        return self.n_head if self.n_kv_head is None else self.n_kv_head

    @property
    def key_size(self) -> int:
        """K, the size of each head."""
        return self.n_embd // self.n_head if self.head_size is None else self.head_size

    def window_of(self, layer: int) -> int | None:
        """How many positions a layer sees; None for all."""
        return self.window if layer >= self.window_from else None


class Llama(Decoder):
    """logits = head(norm(blocks(token embedding))).  (B, T) integers -> (B, T, V)

    What differs from GPT: positions turn queries and keys in every layer (RoPE) and are no table, so that a shift moves
    no score; RMSNorm instead of LayerNorm; SwiGLU instead of an MLP; fewer heads of keys and values than of queries,
    which makes the cache smaller (GQA); in general no biases.
    """

    def __init__(self, config: LlamaConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.vocab_size, self.block_size = c.vocab_size, c.block_size
        make: dict[str, Any] = {"rng": rng, "std": c.init_std, "dtype": dtype}
        self.token_embedding = Embedding(c.vocab_size, c.n_embd, **make)
        self.dropout = Dropout(c.dropout)
        self.blocks = [self._block(number, make) for number in range(c.n_layer)]
        self.norm = RMSNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)
        if not c.tied:
            self.output = Linear(c.n_embd, c.vocab_size, bias=False, **make)

    def _block(self, number: int, make: dict[str, Any]) -> TransformerBlock:
        c = self.config
        make = make | {"dropout": c.dropout, "out_std": c.init_std / math.sqrt(2 * c.n_layer)}
        attention = Attention(
            c.n_embd, c.n_head, c.n_kv_head, head_size=c.key_size, causal=True, window=c.window_of(number),
            rope_base=c.rope_base, qk_norm=c.norm_eps if c.qk_norm else None, bias=c.qkv_bias, out_bias=c.out_bias,
            **make,
        )  # fmt: skip
        norms = [RMSNorm(c.n_embd, eps=c.norm_eps, dtype=make["dtype"]) for _ in range(2)]
        return TransformerBlock(norms[0], attention, norms[1], SwiGLU(c.n_embd, c.n_hidden, bias=c.mlp_bias, **make))

    def embedded(self, tokens: Array, positions: Any, cache: KVCache | None) -> Tensor:
        """The token's vector alone: attention turns by the position.  (B, T) -> (B, T, D)"""
        return self.token_embedding(tokens)

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel. Where every layer has a window the cache keeps no more than that needs."""
        c = self.config
        window = None if c.window_from else c.window
        return KVCache(c.n_layer, batch, capacity=min(capacity, c.block_size), window=window)
