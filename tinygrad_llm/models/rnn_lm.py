"""A language model that carries what it has read in a state of fixed size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models.sizes import check_sizes
from tinygrad_llm.nn import LSTM, RNN, Embedding, Linear, Module, Rng
from tinygrad_llm.shapes import check_shape

KINDS: dict[str, type[RNN] | type[LSTM]] = {"rnn": RNN, "lstm": LSTM}


@dataclass(frozen=True)
class RNNLMConfig:
    """vocab_size V, width D of the token vectors, hidden F of each state, n_layer, kind "lstm" or "rnn"."""

    vocab_size: int
    width: int
    hidden: int
    n_layer: int = 1
    kind: str = "lstm"

    def __post_init__(self) -> None:
        check_sizes(self, 4)
        if self.kind not in KINDS:
            raise ConfigError("kind", " or ".join(KINDS), repr(self.kind))


class RNNLM(Module):
    """logits = head(layers(token embedding)).  (B, T) integers -> (B, T, V)

    The head is not tied to the embedding, so D and F may differ, and has no bias. The state begins at zero in every
    window. There is no dropout: `rng` is taken so that a training step can treat this model as it treats a GPT.
    """

    def __init__(self, config: RNNLMConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.embedding = Embedding(c.vocab_size, c.width, rng=rng, dtype=dtype)
        sizes = [c.width, *[c.hidden] * c.n_layer]
        self.layers = [KINDS[c.kind](inputs, c.hidden, rng=rng, dtype=dtype) for inputs in sizes[:-1]]
        self.head = Linear(c.hidden, c.vocab_size, bias=False, rng=rng, dtype=dtype)

    def __call__(self, tokens: Any, rng: Rng | None = None) -> Tensor:
        """Logits of the next token at every position.  (B, T) -> (B, T, V)"""
        return self.head(self.hidden(tokens))

    def loss(
        self, tokens: Any, targets: Any, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None
    ) -> Tensor:
        """The mean of -ln p(target), in nats a token, over the targets that are not ignored.  (B, T), (B, T) -> ()

        divisor  divides the sum instead of the count, for parts of a batch.
        dtype    of the activations, that of the weights where None.
        """
        return ops.linear_cross_entropy(self.hidden(tokens, dtype), self.head.weight, targets, divisor=divisor)

    def hidden(self, tokens: Any, dtype: Any = None) -> Tensor:
        """The states of the last layer, computed in `dtype`, or as the weights are.  (B, T) -> (B, T, F)"""
        tokens = as_array(tokens.data if isinstance(tokens, Tensor) else tokens)
        check_shape("tokens", tokens, "BT", "Put a single sequence into a batch of one: tokens[None].")
        x = self.embedding(tokens)
        return self.states(x if dtype is None else x.astype(dtype))

    def states(self, x: Tensor) -> Tensor:
        """The states of the last layer for token vectors.  (B, T, D) -> (B, T, F)"""
        for layer in self.layers:
            x, _ = layer(x)
        return x
