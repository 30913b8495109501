"""One training step: losses and gradients of some batches, clipped, and the update.

`EagerStep` is the readable form. `ThreadedStep` splits every batch over threads; a test holds the two equal.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import GradientSink, Tensor, detect_anomaly
from tinygrad_llm.backend import Array, KeyedStream, blas_threads, device_of, to_device
from tinygrad_llm.errors import ConfigError, NonFiniteError
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.optim import Optimizer, clip_scale, sum_of_squares
from tinygrad_llm.train.workers import Workers

Batch = Mapping[str, Array]
"""Arrays by name with one leading axis, the examples."""
Loss = Callable[..., Tensor]
"""loss(batch, *, rng, divisor, dtype): the sum over the batch's examples divided by `divisor`; `model.loss` is one."""


@dataclass(frozen=True)
class StepResult:
    """loss: the step's, its sum over all batches divided by the divisor.  grad_norm: the length of the whole gradient
    before clipping."""

    loss: float
    grad_norm: float


def examples(batch: Batch) -> int:
    """How many examples a batch has.  Raises ConfigError where its arrays differ in that."""
    counts = {name: len(array) for name, array in batch.items()}
    if len(set(counts.values())) != 1:
        raise ConfigError("batch", "arrays with one leading axis, the examples", counts)
    return next(iter(counts.values()))


def parts_of(batch: Batch, most: int) -> Iterator[Batch]:
    """A batch cut into parts of at most so many examples, in order."""
    for start in range(0, examples(batch), most):
        yield {name: rows[start : start + most] for name, rows in batch.items()}


def count_targets(batches: Sequence[Batch]) -> int:
    """How many targets of these batches count: the usual divisor of a step.  Raises ConfigError where none does."""
    count = sum(int((batch["targets"] != IGNORE).sum()) for batch in batches)
    if not count:
        raise ConfigError("targets", "at least one that counts in a step", "none")
    return count


class Step(ABC):
    """step(batches, number, lr, divisor): one update from several batches, their gradients added up (accumulation).

    loss     of one batch, as `Loss` says; every array of a batch may be split along its leading axis.
    divisor  what the sum of all batches' losses is divided by: the number of targets that count, for a mean.

    Dropout is keyed by (seed, step, layer, example): the same however the work is divided. A loss or a gradient that is
    not finite raises NonFiniteError before anything is updated.
    """

    def __init__(self, loss: Loss, optimizer: Optimizer, *, clip: float = 1.0, seed: int = 0) -> None:
        self.loss, self.optimizer, self.clip, self.seed = loss, optimizer, clip, seed

    @abstractmethod
    def __call__(self, batches: Sequence[Batch], number: int, lr: float, divisor: float) -> StepResult | None:
        """Does the step. None where the result is not known yet: `read()` waits for it."""

    def read(self) -> StepResult | None:
        """The last step's result where it was not known at once."""
        return None

    def close(self) -> None:
        """Lets go of threads."""

    def _accumulate(
        self,
        sink: GradientSink,
        batches: Sequence[Batch],
        number: int,
        divisor: float,
        share: tuple[int, int] = (0, 1),
    ) -> float:
        """Part i of n of every batch, forward and backward into the sink; share = (i, n).  Returns the part's loss."""
        i, count = share
        sink.clear()
        loss, first = 0.0, 0
        for batch in batches:
            size = examples(batch)
            part = slice(size * i // count, size * (i + 1) // count)
            rng = self._stream(number, first + part.start)
            value = self._loss({name: array[part] for name, array in batch.items()}, rng, divisor)
            value.backward(into=sink)
            loss += value.item()
            first += size
        sink.finish()
        return loss

    def _loss(self, batch: Batch, rng: Any, divisor: float) -> Tensor:
        """The part's share of the loss, recorded."""
        return self.loss(batch, rng=rng, divisor=divisor)

    def _stream(self, number: int, first: int) -> Any:
        """What dropout draws from in this step, for a part of a batch that begins with example `first`."""
        return KeyedStream(self.seed, number, first)

    def _explained(
        self, batches: Sequence[Batch], number: int, divisor: float, loss: float, norm: float
    ) -> NonFiniteError:
        """The same step once more, watched: which operation made the first NaN, and which parameters it reached."""
        next_step = "Nothing was updated. Start a new run with a lower --lr or --clip."
        sink = self.optimizer.flat.new_sink()
        where = f"step {number}"
        try:
            with detect_anomaly():
                self._accumulate(sink, batches, number, divisor)
        except NonFiniteError as error:
            where += f", operation {error.name}"
        reached = self._reached(batches, number, divisor, sink)
        where += f", tensor {reached}" if reached else ""
        return NonFiniteError(where, "a finite loss and gradient", f"loss {loss:g}, gradient norm {norm:g}", next_step)

    def _reached(self, batches: Sequence[Batch], number: int, divisor: float, sink: GradientSink) -> str:
        """The name of the first parameter whose gradient is not finite."""
        with np.errstate(all="ignore"):
            self._accumulate(sink, batches, number, divisor)
        flat = self.optimizer.flat
        for name, p in zip(flat.names, flat.parameters):
            place = sink.place(p)
            if place is not None and not np.isfinite(to_device(place.array, "cpu")).all():
                return name
        return ""


class HostStep(Step):
    """A step whose loss and norm the host sees before it updates."""

    def __call__(self, batches: Sequence[Batch], number: int, lr: float, divisor: float) -> StepResult:
        """Gradients, a look at them, and the update."""
        loss, norm = self.gradients(batches, number, divisor)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise self._explained(batches, number, divisor, loss, norm)
        self.optimizer.begin_step(lr)
        self.update(clip_scale(norm, self.clip))
        return StepResult(loss, norm)

    @abstractmethod
    def gradients(self, batches: Sequence[Batch], number: int, divisor: float) -> tuple[float, float]:
        """The loss, and the norm of the gradient that is now in the first sink."""

    @abstractmethod
    def update(self, scale: float) -> None:
        """Changes the parameters by the gradient times `scale`."""


class EagerStep(HostStep):
    """The whole batch at once, on one thread of Python."""

    def __init__(self, loss: Loss, optimizer: Optimizer, *, clip: float = 1.0, seed: int = 0) -> None:
        super().__init__(loss, optimizer, clip=clip, seed=seed)
        self.sink = optimizer.flat.new_sink()

    def gradients(self, batches: Sequence[Batch], number: int, divisor: float) -> tuple[float, float]:
        """See HostStep."""
        with blas_threads():
            loss = self._accumulate(self.sink, batches, number, divisor)
            return loss, math.sqrt(sum_of_squares(self.sink.flat))

    def update(self, scale: float) -> None:
        """See HostStep."""
        self.optimizer.update(self.sink.flat, 0, self.sink.flat.size, scale)


class ThreadedStep(HostStep):
    """Every batch split over threads: each has its examples and its own sink, then its range of the flat arrays.

    Refuses losses that couple examples (`couples_examples = True` on the loss or on the model that it is a method of:
    an expert balance loss for one), as the parts' losses would not add up to the whole's. On a GPU there is one worker:
    the GPU divides the work by itself.
    """

    def __init__(self, loss: Loss, optimizer: Optimizer, *, threads: int, clip: float = 1.0, seed: int = 0) -> None:
        if couples_examples(loss):
            next_step = "Use --threads 1: the loss of a split batch is not the sum of its parts'."
            raise ConfigError("loss", "a sum over examples", "one that couples them", next_step)
        super().__init__(loss, optimizer, clip=clip, seed=seed)
        threads = threads if device_of(optimizer.flat.data) == "cpu" else 1
        self.workers = Workers(threads)
        self.sinks = [optimizer.flat.new_sink() for _ in range(threads)]
        size = optimizer.flat.data.size
        self.ranges = [(size * i // threads, size * (i + 1) // threads) for i in range(threads)]

    def gradients(self, batches: Sequence[Batch], number: int, divisor: float) -> tuple[float, float]:
        """See HostStep."""
        count, smallest = self.workers.count, min(examples(batch) for batch in batches)
        if smallest < count:
            next_step = "Lower --threads, or leave it at auto."
            raise ConfigError("threads", f"at most one an example, {smallest}", count, next_step)

        def forward_and_backward(i: int) -> float:
            return self._accumulate(self.sinks[i], batches, number, divisor, (i, count))

        def add_up(i: int) -> float:
            start, stop = self.ranges[i]
            total = self.sinks[0].flat
            for sink in self.sinks[1:]:
                total[start:stop] += sink.flat[start:stop]
            return sum_of_squares(total, start, stop)

        loss = sum(self.workers.run(forward_and_backward))
        return loss, math.sqrt(sum(self.workers.run(add_up)))

    def update(self, scale: float) -> None:
        """See HostStep."""
        self.workers.run(lambda i: self.optimizer.update(self.sinks[0].flat, *self.ranges[i], scale))

    def close(self) -> None:
        """See Step."""
        self.workers.close()


def couples_examples(loss: Loss) -> bool:
    """Whether a batch's loss is more than a sum over its examples."""
    owner = getattr(loss, "__self__", None)
    return bool(getattr(loss, "couples_examples", False) or getattr(owner, "couples_examples", False))
