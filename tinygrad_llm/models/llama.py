"""Llama and its kin: a decoder whose parts are chosen by its configuration.

With Llama's choices it is Touvron et al., "LLaMA", 2023; with a sliding window Jiang et al., "Mistral 7B", 2023; with
biases of queries, keys and values Yang et al., "Qwen2 Technical Report", 2024; with norms of queries and keys Yang et
al., "Qwen3 Technical Report", 2025; with experts Jiang et al., "Mixtral of Experts", 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, as_array
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models.base import Batch
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.sizes import check_dropout, check_heads, check_sizes
from tinygrad_llm.nn import (
    Attention,
    Dropout,
    Embedding,
    Experts,
    KVCache,
    Linear,
    RMSNorm,
    Rng,
    RopeScaling,
    Routing,
    SwiGLU,
    TransformerBlock,
    balance_loss,
)  # fmt: skip


@dataclass(frozen=True)
class LlamaConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, n_hidden F.

    n_kv_head    G heads of keys and values, each for H/G heads of queries; H where None.
    head_size    K; D / H where None.
    window       the last positions that a position sees, itself among them; all of its past where None.
    window_from  the first layer, counted from 0, that has the window.
    rope_base    base of the rotary positions; rope_scaling of their frequencies (nn.YaRN and others), for texts longer
                 than those of the training.
    qkv_bias     biases of queries, keys and values; out_bias of what attention adds, as qkv_bias where None; mlp_bias.
    qk_norm      an RMSNorm over each head of queries and of keys.
    norm_eps     epsilon of all norms.
    tied         the head is the token embedding's own table; otherwise a matrix of its own.
    dropout      of the embeddings, of attention weights, and of what each part adds.
    n_experts    E experts in place of each SwiGLU, of which a token goes through experts_per_token; none where 0.
    balance      what the experts' balance loss counts for beside the cross-entropy.
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
    rope_scaling: RopeScaling | None = None
    qkv_bias: bool = False
    out_bias: bool | None = None
    mlp_bias: bool = False
    qk_norm: bool = False
    norm_eps: float = 1e-6
    tied: bool = False
    dropout: float = 0.0
    n_experts: int = 0
    experts_per_token: int = 0
    balance: float = 0.0
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
        if not isinstance(self.rope_scaling, RopeScaling | None):
            raise ConfigError("rope_scaling", "a RopeScaling or None", repr(self.rope_scaling))
        if self.rope_scaling is not None:
            self.rope_scaling.check_head_size(self.key_size)
        if self.mlp_bias and self.n_experts:
            raise ConfigError("mlp_bias", "none, with experts", self.mlp_bias)
        if type(self.window_from) is not int or not 0 <= self.window_from or (self.window is None and self.window_from):
            raise ConfigError("window_from", "a layer, counted from 0; 0 without a window", self.window_from)
        self._check_experts()
        for name, least in (("rope_base", 1), ("norm_eps", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not least < value < math.inf:
                raise ConfigError(name, f"a number above {least}", repr(value))

    def _check_experts(self) -> None:
        if type(self.n_experts) is not int or self.n_experts < 0:
            raise ConfigError("n_experts", "a whole number, 0 for none", repr(self.n_experts))
        least, most = min(1, self.n_experts), self.n_experts
        if type(self.experts_per_token) is not int or not least <= self.experts_per_token <= most:
            raise ConfigError("experts_per_token", f"{least} to n_experts = {most}", repr(self.experts_per_token))
        if not isinstance(self.balance, int | float) or not 0 <= self.balance < math.inf or (self.balance and not most):
            raise ConfigError("balance", "a number of at least 0, and 0 without experts", repr(self.balance))

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
            rope_base=c.rope_base, rope_scaling=c.rope_scaling, qk_norm=c.norm_eps if c.qk_norm else None,
            bias=c.qkv_bias, out_bias=c.out_bias, **make,
        )  # fmt: skip
        norms = [RMSNorm(c.n_embd, eps=c.norm_eps, dtype=make["dtype"]) for _ in range(2)]
        mlp: SwiGLU | Experts
        if c.n_experts:
            mlp = Experts(c.n_embd, c.n_hidden, c.n_experts, c.experts_per_token, **make)
        else:
            mlp = SwiGLU(c.n_embd, c.n_hidden, bias=c.mlp_bias, **make)
        return TransformerBlock(norms[0], attention, norms[1], mlp)

    def embedded(self, tokens: Array, positions: Any, cache: KVCache | None) -> Tensor:
        """The token's vector alone: attention turns by the position.  (B, T) -> (B, T, D)"""
        return self.token_embedding(tokens)

    @property
    def couples_examples(self) -> bool:
        """Whether the loss of a batch is more than a sum over its examples: how evenly all use the experts is."""
        return self.config.balance > 0

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The cross-entropy, and `balance` times the experts' balance loss; see LanguageModel.  -> ()

        With a divisor the latter counts for as much of it as the batch has targets, so that batches add up to a mean.
        """
        if not self.config.balance:
            return self.cross_entropy(batch, rng=rng, divisor=divisor, dtype=dtype)
        routed: list[Routing] = []
        loss = self.cross_entropy(batch, rng=rng, divisor=divisor, dtype=dtype, routed=routed)
        share = 1.0 if divisor is None else _share_of_targets(batch, divisor, loss.dtype)
        return loss + self.config.balance * share * balance_loss(routed)

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel. Where every layer has a window the cache keeps no more than that needs."""
        c = self.config
        window = None if c.window_from else c.window
        return KVCache(c.n_layer, batch, capacity=min(capacity, c.block_size), window=window)


def _share_of_targets(batch: Batch, divisor: float, dtype: Any) -> Any:
    """How much of the divisor the batch's targets are; a tensor where only the GPU knows: nobody waits for it."""
    share = (as_array(batch["targets"]) != ops.IGNORE).sum() / float(divisor)
    return float(share) if isinstance(share, np.generic) else Tensor.result(share.astype(dtype), None, None)
