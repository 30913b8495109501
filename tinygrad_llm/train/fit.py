"""The training loop, for whoever needs no checkpoints: some thirty lines that chapters and experiments share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_llm.backend import device_of
from tinygrad_llm.optim import Optimizer
from tinygrad_llm.train.step import Batch, EagerStep, Loss, ThreadedStep, count_targets, examples
from tinygrad_llm.train.workers import worker_count


def fit(
    loss: Loss,
    optimizer: Optimizer,
    batches: Iterable[Batch],
    *,
    lr: float | Callable[[int], float] | None = None,
    clip: float = 1.0,
    seed: int = 0,
    threads: int | str = "auto",
    divisor: Callable[[Batch], float] | None = None,
    after: Callable[[int, float], Any] | None = None,
) -> list[float]:
    """One update a batch; returns the losses, each taken before its update.

    loss      of a batch, loss(batch, rng=, divisor=): `model.loss`, or a function with that signature.
    batches   dicts of arrays with one leading axis; as many steps as there are.
    lr        a rate, or a schedule lr(step) with the first step as number 1; the optimizer's own where None.
    clip      longest gradient; 0 never clips.
    threads   threads that share a batch, at most one an example; "auto" is one a core.
    divisor   of a batch's summed loss; how many targets count where None, how many examples where it has no targets.
    after     called as after(step, loss) when the step is done.
    """
    losses: list[float] = []
    step: EagerStep | ThreadedStep | None = None
    count = 0
    try:
        for number, batch in enumerate(batches, 1):
            workers = worker_count(threads, examples(batch))  # an epoch's last batch may have fewer examples
            if step is None or workers != count:
                if step is not None:
                    step.close()
                step, count = _step(loss, optimizer, workers, clip=clip, seed=seed), workers
            rate = optimizer.lr if lr is None else lr(number) if callable(lr) else lr
            result = step([batch], number, rate, divisor(batch) if divisor else _count(batch))
            losses.append(result.loss)
            if after is not None:
                after(number, result.loss)
    finally:
        if step is not None:
            step.close()
    return losses


def _step(loss: Loss, optimizer: Optimizer, threads: int, **options: Any) -> EagerStep | ThreadedStep:
    on_cpu = device_of(optimizer.flat.data) == "cpu"
    if on_cpu and threads > 1:
        return ThreadedStep(loss, optimizer, threads=threads, **options)
    return EagerStep(loss, optimizer, **options)


def _count(batch: Batch) -> float:
    return count_targets([batch]) if "targets" in batch else examples(batch)
