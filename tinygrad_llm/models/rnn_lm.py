"""A language model that carries what it has read in a state of fixed size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.models.sizes import check_sizes
from tinygrad_llm.nn import LSTM, RNN, Embedding, Linear, Rng, StateCache

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


class RNNLM(LanguageModel):
    """logits = output(layers(token embedding)).  (B, T) integers -> (B, T, V)

    The head is not tied to the embedding, so D and F may differ, and has no bias. Without a cache the state begins at
    zero. There is no dropout: `rng` is taken so that a training step can treat this model as it treats a GPT.
    """

    def __init__(self, config: RNNLMConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.vocab_size, self.block_size = c.vocab_size, None
        self.token_embedding = Embedding(c.vocab_size, c.width, rng=rng, dtype=dtype)
        sizes = [c.width, *[c.hidden] * c.n_layer]
        self.layers = [KINDS[c.kind](inputs, c.hidden, rng=rng, dtype=dtype) for inputs in sizes[:-1]]
        self.output = Linear(c.hidden, c.vocab_size, bias=False, rng=rng, dtype=dtype)

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: StateCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The states of the last layer.  (B, T) -> (B, T, F); see LanguageModel.

        Raises ConfigError for a mask or positions, which a recurrence does not know.
        """
        if mask is not None or positions is not None:
            raise ConfigError("mask and positions", "none: a recurrence reads from left to right", "one")
        states = self.states(self.token_embedding(self._token_ids(tokens)), cache)
        return states if dtype is None else states.astype(dtype)

    def states(self, x: Tensor, cache: StateCache | None = None) -> Tensor:
        """The states of the last layer for token vectors.  (B, T, D) -> (B, T, F)"""
        for number, layer in enumerate(self.layers):
            before = None if cache is None else cache.states[number]
            states = layer.sequence(x, before)
            if cache is not None:
                cache.remember(number, states)
            x = states[0]
        if cache is not None:
            cache.advance(x.shape[1])
        return x

    def head(self) -> tuple[Tensor, None]:
        """See LanguageModel."""
        return self.output.weight, None

    def new_cache(self, batch: int, capacity: int = 64) -> StateCache:
        """See LanguageModel. A state has the same size however long the text."""
        return StateCache(self.config.n_layer, batch)
