"""Small models, text that can be learned, and runs of steps: what the tests of training share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import Step, count_targets

Batch = dict[str, np.ndarray]


@dataclass(frozen=True)
class Setup:
    """A model and its batches, the same each time it is asked for."""

    config: GPTConfig | LlamaConfig
    batch: int
    steps: int

    def model(self, device: str, dropout: float = 0.0) -> GPT | Llama:
        made: Any = GPT if isinstance(self.config, GPTConfig) else Llama
        return made(replace(self.config, dropout=dropout), rng=np.random.default_rng(1)).to(device)

    def batches(self, count: int, seed: int = 2) -> list[Batch]:
        """Each token depends on the one before, so that there is something to learn."""
        rng, v = np.random.default_rng(seed), self.config.vocab_size
        following = rng.integers(0, v, (v, 3))
        shape = (count, self.batch, self.config.block_size + 1)
        text = np.empty(shape, np.int64)
        text[..., 0] = rng.integers(0, v, shape[:2])
        choice = rng.integers(0, 3, shape)
        for t in range(1, shape[2]):
            text[..., t] = following[text[..., t - 1], choice[..., t]]
        return [{"tokens": np.ascontiguousarray(x[:, :-1]), "targets": np.ascontiguousarray(x[:, 1:])} for x in text]


LARGE = Setup(GPTConfig(65, 64, 4, 4, 128, bias=True), batch=12, steps=100)
"""nanoGPT's model for a laptop, with biases."""
SMALL = Setup(GPTConfig(13, 16, 2, 2, 32, bias=True), batch=4, steps=16)
MIXED = {"n_experts": 4, "experts_per_token": 2, "balance": 0.01}
LARGE_MIXED = Setup(LlamaConfig(65, 64, 4, 4, 128, 192, **MIXED), batch=12, steps=60)
SMALL_MIXED = Setup(LlamaConfig(13, 16, 2, 2, 32, 24, **MIXED), batch=4, steps=16)
"""Mixtures of experts."""


def rate(number: int) -> float:
    """A learning rate that is another one each step."""
    return 3e-3 * (1 + 0.5 * np.sin(number)) * min(1.0, (number + 1) / 10)


def run(
    make: Callable[..., Step], setup: Setup, device: str, dropout: float = 0.0, accumulate: int = 1, **options: Any
) -> tuple[np.ndarray, np.ndarray, Step]:
    """(losses and norms (steps, 2), parameters after the last step, the step itself)."""
    model = setup.model(device, dropout)
    optimizer = AdamW(model.named_parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    step = make(model.loss, optimizer, clip=1.0, seed=3, **options)
    found = []
    source = setup.batches(setup.steps * accumulate)
    for number in range(setup.steps):
        part = source[number * accumulate : (number + 1) * accumulate]
        result = step(part, number, rate(number), count_targets(part))
        result = step.read() if result is None else result
        found.append((result.loss, result.grad_norm))
    flat = optimizer.flat.data
    return np.array(found), np.asarray(flat if isinstance(flat, np.ndarray) else flat.get()), step
