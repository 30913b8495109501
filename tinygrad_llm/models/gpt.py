"""GPT: a stack of transformer blocks that predicts the next token. Decoder only, as GPT-2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array
from tinygrad_llm.models.base import position_rows
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.sizes import check_sizes, check_transformer
from tinygrad_llm.nn import MLP, Attention, Dropout, Embedding, KVCache, LayerNorm, Linear, TransformerBlock

INIT_STD = 0.02  # Radford et al., 2018, section 4.1


@dataclass(frozen=True)
class GPTConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, dropout.

    bias  of linear layers and norms.
    tied  the head is the token embedding's own table; otherwise a matrix of its own.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    bias: bool = True
    tied: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, 5)
        check_transformer(self)


class GPT(Decoder):
    """logits = head(norm(blocks(token embedding + position embedding))).  (B, T) integers -> (B, T, V)

    The head is the token embedding's own table (Press and Wolf, 2017): a token is likely where the hidden state points
    to its vector. First weights are normal with standard deviation 0.02; those of the layers that add to the residual
    stream are scaled by 1/sqrt(2 n_layer), so that its variance does not grow with depth (Radford et al., 2019,
    section 2.3).
    """

    norm: LayerNorm

    def __init__(self, config: GPTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.vocab_size, self.block_size = c.vocab_size, c.block_size
        self.token_embedding = Embedding(c.vocab_size, c.n_embd, rng=rng, std=INIT_STD, dtype=dtype)
        self.position_embedding = Embedding(c.block_size, c.n_embd, rng=rng, std=INIT_STD, dtype=dtype)
        self.dropout = Dropout(c.dropout)
        self.blocks = [self._block(rng, dtype) for _ in range(c.n_layer)]
        self.norm = LayerNorm(c.n_embd, c.bias, dtype=dtype)
        if not c.tied:
            self.output = Linear(c.n_embd, c.vocab_size, bias=False, rng=rng, std=INIT_STD, dtype=dtype)

    def _block(self, rng: np.random.Generator, dtype: Any) -> TransformerBlock:
        c = self.config
        options: dict[str, Any] = {"bias": c.bias, "dropout": c.dropout, "rng": rng, "dtype": dtype}
        options |= {"std": INIT_STD, "out_std": INIT_STD / math.sqrt(2 * c.n_layer)}
        return TransformerBlock(
            LayerNorm(c.n_embd, c.bias, dtype=dtype),
            Attention(c.n_embd, c.n_head, causal=True, **options),
            LayerNorm(c.n_embd, c.bias, dtype=dtype),
            MLP(c.n_embd, **options),
        )

    def embedded(self, tokens: Array, positions: Any, cache: KVCache | None) -> Tensor:
        """The token's vector and that of its position.  (B, T) -> (B, T, D)"""
        rows = position_rows(self.position_embedding.weight, positions, tokens.shape[1], cache)
        return self.token_embedding(tokens) + rows
