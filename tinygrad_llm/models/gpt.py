"""GPT: a stack of transformer blocks that predicts the next token. Decoder only, as GPT-2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.models.sizes import check_sizes, check_transformer
from tinygrad_llm.nn import MLP, CausalSelfAttention, Dropout, Embedding, LayerNorm, Module, Rng, TransformerBlock
from tinygrad_llm.shapes import check_shape

INIT_STD = 0.02  # Radford et al., 2018, section 4.1


@dataclass(frozen=True)
class GPTConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, dropout, bias (in linear layers and
    norms)."""

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    bias: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, 5)
        check_transformer(self)


class GPT(Module):
    """logits = head(norm(blocks(token embedding + position embedding))).  (B, T) integers -> (B, T, V)

    The head is the token embedding's own table (Press and Wolf, 2017): a token is likely where the stream points to its
    vector. First weights are normal with standard deviation 0.02; what writes into the stream is scaled by
    1/sqrt(2 n_layer), so that the stream's variance does not grow with depth (Radford et al., 2019, section 2.3).
    """

    def __init__(self, config: GPTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.wte = Embedding(c.vocab_size, c.n_embd, rng=rng, std=INIT_STD, dtype=dtype)
        self.wpe = Embedding(c.block_size, c.n_embd, rng=rng, std=INIT_STD, dtype=dtype)
        self.dropout = Dropout(c.dropout)
        self.h = [self._block(rng, dtype) for _ in range(c.n_layer)]
        self.ln_f = LayerNorm(c.n_embd, c.bias, dtype=dtype)

    def _block(self, rng: np.random.Generator, dtype: Any) -> TransformerBlock:
        c = self.config
        stds: dict[str, Any] = {"std": INIT_STD, "out_std": INIT_STD / math.sqrt(2 * self.config.n_layer)}
        return TransformerBlock(
            LayerNorm(c.n_embd, c.bias, dtype=dtype),
            CausalSelfAttention(c.n_embd, c.n_head, bias=c.bias, dropout=c.dropout, rng=rng, dtype=dtype, **stds),
            LayerNorm(c.n_embd, c.bias, dtype=dtype),
            MLP(c.n_embd, bias=c.bias, dropout=c.dropout, rng=rng, dtype=dtype, **stds),
        )

    def __call__(self, tokens: Any, rng: Rng | None = None) -> Tensor:
        """Logits of the next token at every position.  (B, T) -> (B, T, V).  Dropout is active when an rng is given."""
        return ops.linear(self.hidden(tokens, rng), self.wte.weight)

    def next_logits(self, tokens: Any) -> Tensor:
        """Logits of the token after the last position alone.  (B, T) -> (B, V)"""
        return ops.linear(self.hidden(tokens)[:, -1], self.wte.weight)

    def loss(
        self, tokens: Any, targets: Any, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None
    ) -> Tensor:
        """The mean of -ln p(target), in nats a token, over the targets that are not ignored.  (B, T), (B, T) -> ()

        divisor  divides the sum instead of the count, for parts of a batch.
        dtype    of the activations, that of the weights where None; the loss of bfloat16 is float32.
        """
        return ops.linear_cross_entropy(self.hidden(tokens, rng, dtype), self.wte.weight, targets, divisor=divisor)

    def hidden(self, tokens: Any, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The stream after the last norm, computed in `dtype`, or as the weights are.  (B, T) -> (B, T, D)"""
        tokens = as_array(tokens.data if isinstance(tokens, Tensor) else tokens)
        time = check_shape("tokens", tokens, "BT", "Put a single sequence into a batch of one: tokens[None].")["T"]
        if not 0 < time <= self.config.block_size:
            next_step = "Crop the text to its last block_size tokens, or train a model with a longer context."
            raise ShapeError("tokens", f"1 to block_size = {self.config.block_size} positions", time, next_step)
        x = self.wte(tokens) + self.wpe.weight[:time]
        x = self.dropout(x if dtype is None else x.astype(dtype), rng)
        for block in self.h:
            x = block(x, rng)
        return self.ln_f(x)
