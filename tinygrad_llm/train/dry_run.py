"""How much memory a run will need, measured by two small steps of it before it starts.

What a step needs grows with its examples along a line: the weights, the gradient and the moments are there whatever the
batch, and each example brings its activations. Two steps of different size give both numbers; nothing has to be known
about the model.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend.cuda import free_unused, load_cupy
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.files import memory
from tinygrad_llm.train.precision import activations
from tinygrad_llm.train.step import Batch
from tinygrad_llm.train.trainer import Trainer


@dataclass(frozen=True)
class Memory:
    """Bytes a run needs: `fixed` whatever the batch, `example` for each example of a step, `judged` for each that is
    evaluated while a recorded step keeps its own; `room` is what there is."""

    fixed: float
    example: float
    room: int | None
    judged: float = 0.0

    def of(self, examples: int) -> float:
        """Bytes of a run whose batch has so many examples."""
        return self.of_step(examples) + self.judged * examples

    def of_step(self, examples: int) -> float:
        """Those of its steps alone."""
        return self.fixed + self.example * examples

    @property
    def largest(self) -> int | None:
        """The largest batch that fits, 0 where none does; None where the machine does not tell its memory."""
        if self.room is None:
            return None
        return max(0, int((self.room - self.fixed) // max(1.0, self.example + self.judged)))


def needed(start: Callable[[], Trainer]) -> tuple[Trainer, Memory]:
    """The run that `start` makes, and what a step of it needs. The run's weights are no longer its first ones then.

    Workers that share a batch may all need their most at the same moment, or not, as it happens; it is told for those
    that do. So one is measured, by itself, and each of the others takes as much again. A GPU has the batch to itself;
    but a step that is recorded there keeps its memory, and an evaluation takes its own beside that.
    """
    with _watched() as peak:
        trainer = start()
        recorded = trainer.device == "cuda" and trainer.config.graph
        trainer.config = replace(trainer.config, graph=False)  # recording takes no more, and time
        workers, trainer.threads = trainer.threads, 1

        def slope(task: Callable[[Trainer, int], None]) -> tuple[float, float]:
            """Bytes of a task with one example, and how many each further one adds."""
            one, three = (peak(trainer.device, partial(task, trainer, count)) for count in (1, 3))
            return one, max(0.0, (three - one) / 2)

        with own_stream(trainer.device):
            step_of(trainer, 1)  # kernels are compiled, buffers made
            held = peak(trainer.device, lambda: None)
            one, example = slope(step_of)
            first, judged = slope(evaluation_of) if recorded else (held, 0.0)
        trainer.threads = workers
    own = one - example - held  # its gradient, for one
    beside = max(0.0, first - judged - held)  # of an evaluation, whatever its examples: weights in another precision
    if trainer.device == "cuda":
        workers = 1
    return trainer, Memory(held + workers * own + beside, example, _room(trainer.device), judged)


def batch_of(trainer: Trainer, examples: int) -> Batch:
    """So many examples: the rows of the run's first batch, over again where it has not so many."""
    return {name: np.resize(rows, (examples, *rows.shape[1:])) for name, rows in trainer.batches[0].items()}


def evaluation_of(trainer: Trainer, examples: int) -> None:
    """The loss of so many examples, and no gradient."""
    batch = batch_of(trainer, examples)
    with no_grad():
        trainer.loss(batch, divisor=trainer.divisor([batch]), dtype=activations(trainer.config.precision)).item()


def step_of(trainer: Trainer, examples: int) -> None:
    """One step of so many examples."""
    batch = batch_of(trainer, examples)
    step = trainer.make_step(print)
    try:
        step([batch], 0, trainer.lr_at(1), trainer.divisor([batch]))
        step.read()
    finally:
        step.close()


@contextmanager
def _watched() -> Iterator[Callable[[str, Callable[[], Any]], int]]:
    """A function that tells how many bytes are held at most while something is done, all that was made before too."""

    def peak(device: str, task: Callable[[], Any]) -> int:
        if device == "cuda":
            free_unused()
            task()
            return int(load_cupy().get_default_memory_pool().total_bytes())
        tracemalloc.reset_peak()
        task()
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()  # NumPy tells it of its arrays
    try:
        yield peak
    finally:
        tracemalloc.stop()


def _room(device: str) -> int | None:
    """Bytes that the device has for us."""
    if device == "cuda":
        cupy = load_cupy()
        return int(cupy.cuda.Device().mem_info[0] + cupy.get_default_memory_pool().total_bytes())
    return memory()
