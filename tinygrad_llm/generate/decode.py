"""A model talks: each token it draws is part of what it reads next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.sampling import Sampler
from tinygrad_llm.models.gpt import GPT


def generate(
    model: GPT, prompt: Sequence[int], count: int, sampler: Sampler, rng: np.random.Generator
) -> Iterator[int]:
    """`count` token ids that follow `prompt`, one at a time, as they are drawn.

    The model sees the last block_size tokens. Raises ArgumentError for an empty prompt, TokenError for unknown ids.
    """
    if not len(prompt):
        raise ArgumentError("prompt", "at least one token", "none", "Start with a line end: '\\n'.")
    if count < 0:
        raise ArgumentError("count", "at least 0", count)
    tokens = list(prompt)
    for _ in range(count):
        with no_grad():
            logits = model.next_logits(np.array([tokens[-model.config.block_size :]]))
        tokens.append(sampler.draw(logits.data[0], rng))
        yield tokens[-1]
