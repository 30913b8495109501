"""A number read off a text at every position: what reward models and value models are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.models.base import Batch, LanguageModel, context
from tinygrad_llm.nn import Module, Rng, init


class ScalarModel(Module):
    """w . hidden(tokens), at every position.  (B, T) integers -> (B, T)

    decoder  a language model, of which the head is not used.
    score    w, (1, D): zero at first, so that before anything is learned all texts are alike; with an `rng` drawn from
             a normal distribution of variance 1/D.

    What stands at a position has seen the tokens up to it and none behind.
    """

    def __init__(self, decoder: LanguageModel, *, rng: np.random.Generator | None = None) -> None:
        table = decoder.head()[0]
        width, dtype = table.shape[1], table.dtype
        self.decoder = decoder
        self.score = init.zeros((1, width), dtype) if rng is None else init.normal(rng, (1, width), width**-0.5, dtype)
        self.to(decoder.device)

    def __call__(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The numbers of batch["tokens"], with the batch's mask and positions where it has them.  -> (B, T)"""
        return self.of(self.states(batch, rng=rng, dtype=dtype))

    def states(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """What the head reads.  -> (B, T, D)"""
        return self.decoder.hidden(batch["tokens"], rng=rng, dtype=dtype, **context(batch))

    def of(self, states: Tensor) -> Tensor:
        """w . h of each state h, in the type of w: what losses are made of is not rounded.  (..., D) -> (...)"""
        return ops.linear(states, self.score)[..., 0].astype(self.score.dtype)
