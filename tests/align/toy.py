"""Small models and texts that the tests of alignment share, and a task whose true reward is known: write token 3."""

from __future__ import annotations

from typing import Any

import numpy as np
from decoder_families import VOCABULARY, decoder

from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.ops import IGNORE

PAD, STOP, WANTED = 0, 1, 3


def texts(seed: int, rows: int, longest: int = 4) -> list[list[list[int]]]:
    """Prompts, and to each two answers, of different lengths."""
    rng = np.random.default_rng([seed, 17])
    part = lambda: rng.integers(1, VOCABULARY, rng.integers(1, longest)).tolist()
    return [[part() for _ in range(rows)] for _ in range(3)]


def model(seed: int, **changes: Any) -> Any:
    """A decoder with weights that show mistakes, in float64."""
    return decoder("gpt", seed, block_size=16, n_layer=1, **changes)


def on_the_left(batch, extra=0):
    """The same rows with the padding before them, and what a model has to know about it."""
    lengths = np.array([np.flatnonzero(row != IGNORE)[-1] + 1 for row in batch["targets"]])
    size = batch["tokens"].shape[1] + extra
    tokens, targets = np.full((len(lengths), size), PAD), np.full((len(lengths), size), IGNORE)
    positions = np.zeros((len(lengths), size), int)
    for row, n in enumerate(lengths):
        tokens[row, size - n :], targets[row, size - n :] = batch["tokens"][row, :n], batch["targets"][row, :n]
        positions[row, size - n :] = np.arange(n)
    real = np.arange(size) >= size - lengths[:, None]
    mask = real[:, None, None, :] | np.eye(size, dtype=bool)  # padding sees itself: no row of the softmax is empty
    return {"tokens": tokens, "targets": targets, "positions": positions, "mask": mask}


def writer(seed: int = 0) -> GPT:
    """A model that writes anything: the policy of the toy task, in float32."""
    return GPT(GPTConfig(8, block_size=12, n_layer=1, n_head=2, n_embd=16), rng=np.random.default_rng(seed))


PROMPTS = [[2, 4], [5, 6], [7, 2], [4, 5]]


def reward(answers: list[list[int]]) -> np.ndarray:
    """The share of an answer that is the wanted token."""
    return np.array([np.mean(np.array(answer) == WANTED) for answer in answers])
