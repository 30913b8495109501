"""The base class of optimizers: flat parameters, a state of flat arrays, and an update of any range of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, CheckpointError, ShapeError
from tinygrad_llm.optim.flat import FlatParameters, Parameters


class Optimizer(ABC):
    """Owns the memory of the parameters and updates it.

    As in PyTorch: `loss.backward(); optimizer.step(); optimizer.zero_grad()`. A trainer passes a flat gradient instead,
    from sinks of `optimizer.flat.new_sink()`, and may update ranges from several threads. With named parameters,
    `AdamW(model.named_parameters())`, the names are kept as `optimizer.flat.names`.
    """

    moments: tuple[str, ...] = ()
    """Names of the state's arrays, each as long as the parameters."""

    def __init__(
        self, parameters: Parameters, lr: float, weight_decay: float, decays: Callable[[Tensor], bool]
    ) -> None:
        if not lr >= 0:
            raise ArgumentError("lr", "a learning rate of at least 0", lr)
        if not weight_decay >= 0:
            raise ArgumentError("weight_decay", "a number of at least 0", weight_decay)
        self.flat = FlatParameters(parameters, decays)
        self.lr, self.weight_decay, self.steps = lr, weight_decay, 0
        self.state = {name: namespace(self.flat.data).zeros_like(self.flat.data) for name in self.moments}

    def step(self, gradient: Array | None = None, lr: float | None = None, scale: float = 1.0) -> None:
        """One update of all parameters, from the flat `gradient` times `scale`, or from the parameters' .grad."""
        if gradient is None:
            gradient = self.flat.gather(namespace(self.flat.data).empty_like(self.flat.data))
        gradient = to_device_of(gradient, self.flat.data)
        if gradient.shape != self.flat.data.shape:
            raise ShapeError("gradient", f"flat, {self.flat.data.shape}", gradient.shape)
        self.begin_step(lr)
        self.update(gradient, 0, gradient.size, scale)

    def begin_step(self, lr: float | None = None) -> None:
        """Counts the step and tells every recorded graph that the parameters change. Then come calls of `update`."""
        self.flat.check()
        if lr is not None:
            self.lr = lr
        self.steps += 1
        self.flat.storage.version += 1

    def update(self, gradient: Array, start: int, stop: int, scale: float) -> None:
        """Updates parameters [start, stop). Ranges that do not overlap may be updated by different threads."""
        edge = min(max(self.flat.n_decaying, start), stop)  # decay stops here
        self.update_range(gradient, start, edge, scale, self.weight_decay)
        self.update_range(gradient, edge, stop, scale, 0.0)

    @abstractmethod
    def update_range(self, gradient: Array, start: int, stop: int, scale: float, weight_decay: float) -> None:
        """Updates parameters [start, stop), which all decay or all do not."""

    def settings(self, number: int) -> list[float]:
        """What changes from step to step, as `update_on_device` reads it: lr first, the step's `number` at index 4."""
        return [self.lr, 0.0, 0.0, 0.0, float(number)]

    @abstractmethod
    def update_on_device(self, gradient: Array, settings: Array, state: Array) -> None:
        """One update of all parameters by a kernel: settings and state are on the GPU, without synchronization."""

    def zero_grad(self) -> None:
        """Forgets the parameters' .grad."""
        for p in self.flat.parameters:
            p.grad = None

    def state_dict(self) -> dict[str, Array]:
        """The state's arrays by name, not copies. The caller saves `steps` and `lr` with them."""
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Array], steps: int) -> None:
        """Copies a saved state back.  Raises CheckpointError where names or shapes differ, and changes nothing then."""
        got = {name: tuple(array.shape) for name, array in state.items()}
        want = {name: array.shape for name, array in self.state.items()}
        if got != want:
            raise CheckpointError("optimizer state", want, got, "Is it a checkpoint of another configuration?")
        for name, array in state.items():
            self.state[name][...] = to_device_of(array, self.state[name])
        self.steps = steps
