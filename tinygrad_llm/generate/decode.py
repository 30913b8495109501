"""A model talks: each token it draws is part of what it reads next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import fused, namespace, to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.sampling import Sampler
from tinygrad_llm.models.gpt import GPT

MOST_AT_ONCE = 16
"""Tokens that a GPU draws before the host looks at them."""


def generate(
    model: GPT, prompt: Sequence[int], count: int, sampler: Sampler, rng: np.random.Generator
) -> Iterator[int]:
    """`count` token ids that follow `prompt`, one at a time, as they are drawn.

    The model sees the last block_size tokens. On a GPU the drawing happens there, and the host waits once for several
    tokens: one, then two, then four, up to sixteen, so that the first word comes soon.
    Raises ArgumentError for an empty prompt, TokenError for unknown ids.
    """
    if not len(prompt):
        raise ArgumentError("prompt", "at least one token", "none", "Start with a line end: '\\n'.")
    if count < 0:
        raise ArgumentError("count", "at least 0", count)
    if model.device == "cuda":
        yield from _generate_on_gpu(model, prompt, count, sampler, rng)
        return
    tokens = list(prompt)
    for _ in range(count):
        with no_grad():
            logits = model.next_logits(np.array([tokens[-model.config.block_size :]]))
        tokens.append(sampler.draw(logits.data[0], rng))
        yield tokens[-1]


def _generate_on_gpu(
    model: GPT, prompt: Sequence[int], count: int, sampler: Sampler, rng: np.random.Generator
) -> Iterator[int]:
    """Prompt and text lie in one array on the GPU. A token is written behind the last and read in the next round."""
    window = model.config.block_size
    known = np.array(prompt[-window:], np.int64)
    xp = namespace(model.parameters()[0].data)
    if count:
        with no_grad():
            model.wte(known)  # the prompt's ids are checked here, on the host
    line = xp.zeros(len(known) + count, np.int64)
    line[: len(known)] = to_device(known, "cuda")
    end, wanted = len(known), 1
    while end < len(line):
        stop = min(end + wanted, len(line))
        uniform = to_device(rng.random(stop - end), "cuda")
        for place in range(end, stop):
            with no_grad():
                logits = model.next_logits(line[None, max(0, place - window) : place])
            logits_V = logits.data[0].astype(np.float32)
            fused(logits_V).draw(logits_V, line[place : place + 1], uniform[place - end : place - end + 1], sampler)
        for token in line[end:stop].get():
            if token < 0:
                raise ArgumentError("logits", "one axis of numbers, the largest finite", "NaN or infinity")
            yield int(token)
        end, wanted = stop, min(2 * wanted, MOST_AT_ONCE)
