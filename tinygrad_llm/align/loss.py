"""What all losses of alignment are: sums over examples, which threads and accumulation may split as they like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.models.base import Batch
from tinygrad_llm.nn import Rng


class AlignmentLoss(ABC):
    """loss(batch, rng=, divisor=, dtype=) -> (), as `train.step.Loss` has it: `total` divided by the divisor.

        fit(loss, optimizer, batches, divisor=loss.divisor)

    Nothing in it couples examples: what several of them decide together (the advantages of a group, a mean, KTO's
    reference point) is in the batch as numbers. So the parts of a split batch add up to the whole, and the divisors of
    accumulated batches are added.
    """

    @abstractmethod
    def total(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The sum over the batch, before it is divided.  -> ()"""

    @abstractmethod
    def divisor(self, batch: Batch) -> float:
        """What makes a mean of a whole batch's sum."""

    def __call__(
        self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None
    ) -> Tensor:
        """The loss.  divisor: that of the whole, for parts of a batch; its own where None."""
        total = self.total(batch, rng=rng, dtype=dtype)
        return total * (1 / float(self.divisor(batch) if divisor is None else divisor))
