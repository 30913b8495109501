"""Learning rates as functions of the step, counted from 0: `lr(step)`."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinygrad_llm.errors import ArgumentError

Schedule = Callable[[int], float]
SCHEDULES = ("constant", "linear", "cosine")


def schedule(kind: str, lr: float, total: int, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Rises from 0 to `lr` over `warmup` steps, then stays, or falls to `final` at step `total`.

    Warm-up:  lr (t / warmup).  With s = (t - warmup) / (total - warmup):
    constant  lr
    linear    lr + (final - lr) s
    cosine    final + (lr - final) (1 + cos pi s) / 2     (Loshchilov and Hutter, "SGDR", 2017)
    After `total` it stays at `final`; a warm-up that is longer goes on to its own end.
    """
    if kind not in SCHEDULES:
        raise ArgumentError("schedule", " or ".join(SCHEDULES), repr(kind))
    if warmup < 0 or total < 0:
        raise ArgumentError("warmup and total", "numbers of steps", (warmup, total))

    def at(step: int) -> float:
        if step < warmup:
            return lr * step / warmup
        if kind == "constant":
            return lr
        share = min(1.0, (step - warmup) / max(1, total - warmup))
        if kind == "linear":
            return lr + (final - lr) * share
        return final + (lr - final) * 0.5 * (1 + math.cos(math.pi * share))

    return at
