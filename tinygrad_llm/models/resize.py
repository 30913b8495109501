"""A larger vocabulary for a model that is there: new rows in its embedding, and in its head where that is another.

Source: Hewitt, "Initializing New Word Embeddings for Pretrained Language Models", 2021: a new row that is the mean of
the old ones changes no old probability by much, where one near zero may outweigh them all.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinygrad_llm.backend import device_of
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.fields import changed
from tinygrad_llm.nn import Module, Parameter
from tinygrad_llm.ranges import check_whole


def with_vocabulary(model: Decoder, vocab_size: int, *, rng: np.random.Generator, spread: float = 0.1) -> Any:
    """A model of the same class with vocab_size tokens; logits of the old ones are as before.

    Rows from the old vocabulary on are the mean of the old rows, and noise: that of the old ones around it, times
    `spread`. Near 0 is best for rows that are learned; but the mean itself is no token's likeliest successor, whatever
    the state, for its logit is the mean of the others'. Rows that stay as they are need a spread of 1.

    All other parameters are the given model's own; a model that has as many tokens is returned itself.

    Raises ArgumentError for a smaller vocabulary.
    """
    old = model.vocab_size
    check_whole(old, "A vocabulary only grows here.", vocab_size=vocab_size)
    if vocab_size == old:
        return model
    twin: Any = copy.copy(model)
    twin.config, twin.vocab_size = changed(model.config, {"vocab_size": vocab_size}), vocab_size
    twin.token_embedding = _grown(model.token_embedding, vocab_size - old, rng, spread)
    if not model.config.tied:
        twin.output = _grown(model.output, vocab_size - old, rng, spread)
    return twin


def _grown(layer: Any, count: int, rng: np.random.Generator, spread: float) -> Module:
    """A copy of an embedding or a head without a bias, with `count` rows more."""
    rows: np.ndarray = layer.weight.numpy()
    noise = rng.standard_normal((count, rows.shape[1])) * (spread * rows.std(0))
    new = (rows.mean(0) + noise).astype(rows.dtype)
    twin: Any = copy.copy(layer)
    twin.weight = Parameter(np.concatenate([rows, new]), layer.weight.requires_grad)
    return twin.to(device_of(layer.weight.data))
