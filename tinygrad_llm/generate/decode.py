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
    if count:
        with no_grad():
            model.wte(known)  # the prompt's ids are checked here, on the host
    line = namespace(model.wte.weight.data).zeros(window + MOST_AT_ONCE, np.int64)
    line[: len(known)] = to_device(known, "cuda")
    end, done, at_once = len(known), 0, 1
    while done < count:
        at_once = min(at_once, count - done)
        if end + at_once > len(line):  # what stands before the last window is never read again
            line[:window] = line[end - window : end].copy()
            end = window
        uniform = to_device(rng.random(at_once), "cuda")
        for i in range(at_once):
            with no_grad():
                logits = model.next_logits(line[None, max(0, end - window) : end])
            logits_V = logits.data[0].astype(np.float32)
            fused(logits_V).draw(logits_V, line[end : end + 1], uniform[i : i + 1], sampler)
            end += 1
        for token in line[end - at_once : end].get():
            if token < 0:
                raise ArgumentError("logits", "one axis of numbers, the largest finite", "NaN or infinity")
            yield int(token)
        done, at_once = done + at_once, min(2 * at_once, MOST_AT_ONCE)
