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

from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.files import memory
from tinygrad_llm.train.trainer import Trainer


@dataclass(frozen=True)
class Memory:
    """Bytes a step needs: `fixed` whatever the batch, `example` for each of its examples; `room` is what there is."""

    fixed: float
    example: float
    room: int | None

    def of(self, examples: int) -> float:
        """Bytes of a step of so many examples."""
        return self.fixed + self.example * examples

    @property
    def largest(self) -> int | None:
        """The largest batch that fits, 0 where none does; None where the machine does not tell its memory."""
        if self.room is None:
            return None
        return max(0, int((self.room - self.fixed) // max(1.0, self.example)))


def needed(start: Callable[[], Trainer]) -> tuple[Trainer, Memory]:
    """The run that `start` makes, and what a step of it needs. The run's weights are no longer its first ones then.

    Workers that share a batch may all need their most at the same moment, or not, as it happens; it is told for those
    that do. So one is measured, by itself, and each of the others takes as much again. A GPU has the batch to itself.
    """
    with _watched() as peak:
        trainer = start()
        trainer.config = replace(trainer.config, graph=False)  # recording takes no more, and time
        workers, trainer.threads = trainer.threads, 1
        with own_stream(trainer.device):
            step_of(trainer, 1)  # kernels are compiled, buffers made
            held = peak(trainer.device, lambda: None)
            one, three = (peak(trainer.device, partial(step_of, trainer, count)) for count in (1, 3))
        trainer.threads = workers
    example = max(0.0, (three - one) / 2)
    own = one - example - held  # its gradient, for one
    if trainer.device == "cuda":
        workers = 1
    return trainer, Memory(held + workers * own, example, _room(trainer.device))


def step_of(trainer: Trainer, examples: int) -> None:
    """One step of so many examples, with the rows of the run's first batch, over again where it has not so many."""
    batch = {name: np.resize(rows, (examples, *rows.shape[1:])) for name, rows in trainer.batches[0].items()}
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
            pool = load_cupy().get_default_memory_pool()
            pool.free_all_blocks()
            task()
            return int(pool.total_bytes())
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
