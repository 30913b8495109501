"""Training runs: data, order, rates, steps, checkpoints."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    ("train/fit.py", "divisor(batch) if divisor else _count(batch)", "examples(batch)", "a mean over examples instead of targets"),
    ("datasets/batches.py", "windows[:, 1:])", "windows[:, :-1])", "targets not shifted"),
    ("train/trainer.py", "self.batches[number * c.accumulate + i]", "self.batches[number + i]", "accumulated batches repeat"),
    ("train/step.py", "self.optimizer.begin_step(lr)", "self.optimizer.begin_step(None)", "learning rate ignored"),
]  # fmt: skip
