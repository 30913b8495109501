"""GPT: a stack of transformer blocks that predicts the next token. Decoder only, as GPT-2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.models.base import LanguageModel, position_rows
from tinygrad_llm.models.sizes import check_sizes, check_transformer
from tinygrad_llm.nn import MLP, Attention, Dropout, Embedding, KVCache, LayerNorm, Linear, Rng, TransformerBlock

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


class GPT(LanguageModel):
    """logits = head(norm(blocks(token embedding + position embedding))).  (B, T) integers -> (B, T, V)

    The head is the token embedding's own table (Press and Wolf, 2017): a token is likely where the hidden state points
    to its vector. First weights are normal with standard deviation 0.02; those of the layers that add to the residual
    stream are scaled by 1/sqrt(2 n_layer), so that its variance does not grow with depth (Radford et al., 2019,
    section 2.3).
    """

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

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: KVCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The residual stream after the last norm.  (B, T) -> (B, T, D); see LanguageModel."""
        tokens = self._token_ids(tokens, 0 if cache is None else cache.longest)
        time = tokens.shape[1]
        x = self.token_embedding(tokens) + position_rows(self.position_embedding.weight, positions, time, cache)
        x = self.dropout(x if dtype is None else x.astype(dtype), rng)
        for number, block in enumerate(self.blocks):
            x = block(x, rng, mask=mask, cache=None if cache is None else cache[number])
        if cache is not None:
            cache.advance(time)
        return self.norm(x)

    def head(self) -> tuple[Tensor, None]:
        """See LanguageModel."""
        return (self.token_embedding.weight if self.config.tied else self.output.weight), None

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel."""
        return KVCache(self.config.n_layer, batch, capacity=min(capacity, self.config.block_size))
