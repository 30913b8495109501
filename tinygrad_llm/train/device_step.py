"""A training step on a GPU that never waits for it.

The host tells the GPU what to do and goes on; the GPU works the list off. Whoever asks for a number stops that: the
list runs empty, and the GPU waits in turn until it is filled again. So the loss, the norm, the clipping and even the
decision whether an update is safe stay on the GPU, and are read every few steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import DeviceStream, namespace, tf32_products
from tinygrad_llm.backend.cuda_ops import log_losses, square_norm
from tinygrad_llm.backend.stream import Graph, PinnedRing
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.optim import Optimizer
from tinygrad_llm.train.precision import activations
from tinygrad_llm.train.step import Batch, Loss, Step, StepResult

NORM, CLIP, FINITE, FELL = range(4)
"""Places in `state`: gradient norm, clip scale, 1 while every number was finite, the step at which it was not."""
NUMBER = 4
"""Place of the step's number in an optimizer's settings."""
BATCH = "batch."
"""Before the names of a batch's arrays, among those of what is uploaded."""


class DeviceStep(Step):
    """The whole batch on the GPU, operation by operation.

    every  steps between two reads at most; `read()` may come earlier.

    A loss or gradient that is not finite stops all later updates on the GPU itself; the next `read()` raises
    NonFiniteError for the step where it happened, and the parameters are as they were before it.
    """

    def __init__(
        self, loss: Loss, optimizer: Optimizer, *, clip: float, seed: int, precision: str = "fp32", every: int = 10
    ) -> None:
        super().__init__(loss, optimizer, clip=clip, seed=seed)
        self.precision, self.every = precision, every
        self.xp = xp = namespace(optimizer.flat.data)
        self.sink = optimizer.flat.new_sink()
        self.state = xp.asarray(np.array([0, 1, 1, -1], np.float32))
        self.settings = xp.zeros(len(optimizer.settings(0)), np.float32)
        self.counter = xp.zeros(2, np.uint64)
        self.losses = xp.zeros((every, 2), np.float32)
        self.buffers: PinnedRing | None = None
        self.waiting: list[tuple[int, Sequence[Batch], float]] = []
        self.names: list[str] = []

    def __call__(self, batches: Sequence[Batch], number: int, lr: float, divisor: float) -> StepResult | None:
        """Asks for the step; the result is None until `read()`."""
        if len(self.waiting) == self.every:
            self.read()
        if self.buffers is None:
            self.buffers = self._make_buffers(batches)
        self.optimizer.begin_step(lr)
        self._upload(self.buffers, batches, number)
        self.run(len(batches), divisor)
        self.waiting.append((number, batches, divisor))
        return None

    def run(self, count: int, divisor: float) -> None:
        """The step itself, on what was uploaded."""
        self.compute(count, divisor)

    def compute(self, count: int, divisor: float) -> None:
        """Forward, backward, norm and update, asked for and not waited for."""
        assert self.buffers is not None
        self.sink.clear()
        total = None
        with tf32_products(self.precision == "tf32"):
            for i in range(count):
                batch = {name: self.buffers.targets[BATCH + name][i] for name in self.names}
                rng = DeviceStream(self.counter, first_example=i * len(next(iter(batch.values()))))
                loss = self._loss(batch, rng, divisor)
                loss.backward(into=self.sink)
                total = loss.data if total is None else total + loss.data
        self.sink.finish()
        square_norm(self.sink.flat, total, self.clip, self.settings, self.state)
        self.optimizer.update_on_device(self.sink.flat, self.settings, self.state)
        log_losses(total, self.state, self.losses, self.settings)

    def read(self) -> StepResult | None:
        """Waits for all steps so far, and returns the last one's result; None where there was none since."""
        if not self.waiting:
            return None
        state, losses = self.state.get(), self.losses.get()
        steps, self.waiting = self.waiting, []
        if not state[FINITE]:
            fell = [number for number, _, _ in steps].index(int(state[FELL]))
            number, batches, divisor = steps[fell]
            loss, norm = (float(x) for x in losses[number % self.every])
            self.optimizer.steps -= len(steps) - fell  # none of these was done
            self.state[FINITE] = 1  # who has mended what was wrong may go on
            raise self._explained(batches, number, divisor, loss, norm)
        loss, norm = losses[steps[-1][0] % self.every]
        return StepResult(float(loss), float(norm))

    def _make_buffers(self, batches: Sequence[Batch]) -> PinnedRing:
        """Room on the GPU and in pinned memory for as many batches of these shapes."""
        self.names = list(batches[0])
        fields = {}
        for name, array in batches[0].items():
            array = np.asarray(array)
            fields[BATCH + name] = self.xp.zeros((len(batches), *array.shape), array.dtype)
        return PinnedRing(self.every, {**fields, "settings": self.settings, "counter": self.counter})

    def _upload(self, buffers: PinnedRing, batches: Sequence[Batch], number: int) -> None:
        values: dict[str, Any] = {}
        for name in self.names:
            wanted = buffers.targets[BATCH + name].shape
            shapes = [np.shape(batch[name]) if name in batch else None for batch in batches]
            if len(batches) != wanted[0] or any(shape != wanted[1:] for shape in shapes):
                got = f"{len(batches)} of {name} {shapes[0]}"
                expected = f"the shapes of the first, {wanted[0]} of {name} {wanted[1:]}"
                raise ConfigError("batches", expected, got, "Start another step for it.")
            values[BATCH + name] = np.stack([batch[name] for batch in batches])
        values["settings"] = self.optimizer.settings(number)
        values["counter"] = np.array([self.seed & (2**64 - 1), number], np.uint64)
        buffers.upload(len(self.waiting), values)

    def _loss(self, batch: Batch, rng: Any, divisor: float) -> Tensor:
        """As finely as the run computes."""
        dtype = activations(self.precision)
        options = {} if dtype is None else {"dtype": dtype}
        return self.loss(batch, rng=rng, divisor=divisor, **options)

    def _stream(self, number: int, first: int) -> Any:
        """What an explained step draws from: the same numbers again, though the counter on the GPU has moved on."""
        return DeviceStream(DeviceStream.at(self.seed, number).counter, first)


class GraphedStep(DeviceStep):
    """The same step, recorded once as a CUDA graph and then started with one call.

    The first steps run operation by operation, so that kernels are compiled and memory is there. Then one step is
    recorded. Where that fails, `report` is told why, and all goes on operation by operation, with the same numbers.
    """

    WARM_UP = 3

    def __init__(self, *args: Any, report: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.graph, self.report = Graph(), report or (lambda text: None)
        self.done, self.recorded_for, self.failure = 0, 0.0, ""

    def run(self, count: int, divisor: float) -> None:
        """A replay; before there is a graph, or for another divisor than the recorded one, operation by operation."""
        if self.done == self.WARM_UP and not self.failure:
            self._record(count, divisor)
        self.done += 1
        if self.graph.recorded is not None and divisor == self.recorded_for:
            self.graph.launch()
        else:
            with self.graph.memory():
                self.compute(count, divisor)

    def _record(self, count: int, divisor: float) -> None:
        try:
            with self.graph.recording():
                self.compute(count, divisor)
            self.recorded_for = divisor
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            self.report(f"no CUDA graph, steps run operation by operation ({self.failure})")
