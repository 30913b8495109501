"""Which token comes next: a list of transforms of the logits, then one draw.

Probabilities are a pure function of logits; drawing is separate. Everything works on a batch of rows (B, V) at once; a
single row (V,) is a batch of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.text import Texts
from tinygrad_llm.ranges import check_whole

LEAST = -1e4
"""A logit this far below the largest adds nothing to a mean: e^-10000 is 0, and 0 times it is 0."""
Transform = Callable[[np.ndarray, Texts], np.ndarray]
"""From logits (B, V) in float64 to others; -inf forbids a token. It never writes into what it is given."""


@dataclass(frozen=True)
class Temperature:
    """Logits divided by `value`: below 1 the likely tokens gain, above 1 all become more even.

    They are divided as they lie below the largest, so that with a `value` near 0 the most likely token is left alone,
    or the most likely ones are, as even as they were.
    """

    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value < math.inf:
            next_step = "For no randomness at all use greedy."
            raise ArgumentError("temperature", "a positive number", self.value, next_step)

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        if self.value == 1:
            return logits_BV
        with np.errstate(over="ignore"):  # -inf is what is meant: probability 0
            return (logits_BV - logits_BV.max(1, keepdims=True)) / self.value


@dataclass(frozen=True)
class TopK:
    """The k most likely tokens alone; of equals those with the smallest ids."""

    k: int

    def __post_init__(self) -> None:
        check_whole(top_k=self.k, next_step="Leave it out to keep all tokens.")

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        size = logits_BV.shape[1]
        if self.k >= size:
            return logits_BV
        least = np.partition(logits_BV, size - self.k, axis=1)[:, size - self.k, None]
        above, equal = logits_BV > least, logits_BV == least
        kept = above | (equal & (equal.cumsum(1) <= self.k - above.sum(1, keepdims=True)))
        return np.where(kept, logits_BV, -math.inf)


@dataclass(frozen=True)
class TopP:
    """The smallest set of most likely tokens that holds at least the probability p; of equals the smaller ids first.

    Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
    """

    p: float

    def __post_init__(self) -> None:
        if not 0 < self.p <= 1:
            raise ArgumentError("top_p", "a probability in (0, 1]", self.p)

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        if self.p == 1:
            return logits_BV
        return _fewest(logits_BV, np.argsort(-logits_BV, axis=1, kind="stable"), self.p)


@dataclass(frozen=True)
class MinP:
    """The tokens that are at least p times as likely as the most likely one; that one always stays.

    Where the model is sure few are left, where it is not many. Source: Nguyen et al., "Turning Up the Heat: Min-p
    Sampling for Creative and Coherent LLM Outputs", 2024.
    """

    p: float

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ArgumentError("min_p", "a share in [0, 1]", self.p)

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        if self.p == 0:
            return logits_BV
        return np.where(_weights(logits_BV) >= self.p, logits_BV, -math.inf)


@dataclass(frozen=True)
class TypicalP:
    """The smallest set that holds at least the probability p, of the tokens whose surprise is the most usual.

    A token's surprise is -ln p(token); usual is the entropy, the mean surprise. Those nearest to it come first, of
    equally near ones the smaller ids: the most likely token may go, since it says too little. Source: Meister et al.,
    "Locally Typical Sampling", 2022.
    """

    p: float

    def __post_init__(self) -> None:
        if not 0 < self.p <= 1:
            raise ArgumentError("typical_p", "a probability in (0, 1]", self.p)

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        if self.p == 1:
            return logits_BV
        weights = _weights(logits_BV)
        shares = weights / weights.sum(1, keepdims=True)
        below = logits_BV - logits_BV.max(1, keepdims=True)  # ln p but for a number that cancels
        mean = (shares * np.maximum(below, LEAST)).sum(1, keepdims=True)
        return _fewest(logits_BV, np.argsort(abs(below - mean), axis=1, kind="stable"), self.p)


def _fewest(logits_BV: np.ndarray, ranking_BV: np.ndarray, p: float) -> np.ndarray:
    """The first tokens of each ranking alone, as few as hold p; at least one."""
    weights = np.take_along_axis(_weights(logits_BV), ranking_BV, 1)
    shares = weights / weights.sum(1, keepdims=True)
    before = np.cumsum(shares, 1) - shares  # a token stays while those before it do not yet hold p
    count = np.maximum(1, (before < p).sum(1))
    dropped = np.arange(logits_BV.shape[1]) >= count[:, None]
    out = logits_BV.copy()
    np.put_along_axis(out, ranking_BV, np.where(dropped, -math.inf, np.take_along_axis(out, ranking_BV, 1)), 1)
    return out


@dataclass(frozen=True)
class Sampler:
    """temperature, top_k, top_p  the standard list, in this order; None and 1 leave one out.
    greedy                     the most likely token, of equals the one with the smallest id.
    first                      further transforms, applied before the standard list; see `processors`.
    min_p, typical_p           applied after it, in this order, which is that of transformers; 0 and 1 leave one out.

    Greedy takes the most likely token of what `first` leaves; nothing else can change it.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    greedy: bool = False
    first: tuple[Transform, ...] = ()
    min_p: float = 0.0
    typical_p: float = 1.0

    def __post_init__(self) -> None:
        _ = self.transforms  # each refuses what is out of its range

    @cached_property
    def transforms(self) -> list[Transform]:
        """All of them, in the order in which they are applied."""
        standard: list[Transform] = [Temperature(self.temperature)]
        standard += [] if self.top_k is None else [TopK(self.top_k)]
        last: list[Transform] = [] if self.min_p == 0 else [MinP(self.min_p)]
        last += [] if self.typical_p == 1 else [TypicalP(self.typical_p)]
        return [*self.first, *standard, TopP(self.top_p), *last]

    @property
    def standard(self) -> bool:
        """Whether it is the standard list alone, or greedy: what a GPU's kernel draws by."""
        return not self.first and (self.greedy or (self.min_p == 0 and self.typical_p == 1))

    def probabilities(self, logits: Any, texts: Texts = ()) -> np.ndarray:
        """The distribution that a token is drawn from.  (V,) or (B, V) -> the same shape, float64, sums of 1"""
        logits_BV, largest_B1 = _checked(logits)
        if self.greedy:
            p = np.zeros_like(logits_BV)
            p[np.arange(len(p)), self._best(logits_BV, texts)] = 1
        else:
            p = self._weights(logits_BV, largest_B1, texts)
            p /= p.sum(1, keepdims=True)
        return p.reshape(np.shape(logits))

    def draw(self, logits: Any, rng: np.random.Generator, texts: Texts = ()) -> Any:
        """A token id for (V,), ids (B,) for (B, V); one number of `rng` a row."""
        ids = self.pick(logits, rng.random(1 if np.ndim(logits) < 2 else len(logits)), texts)
        return int(ids[0]) if np.ndim(logits) < 2 else ids

    def pick(self, logits: Any, uniform_B: np.ndarray, texts: Texts = ()) -> np.ndarray:
        """The ids (B,) that uniform numbers in [0, 1) choose: the first at which the summed probability exceeds it."""
        logits_BV, largest_B1 = _checked(logits)
        if self.greedy:
            return self._best(logits_BV, texts)
        cumulative = self._weights(logits_BV, largest_B1, texts).cumsum(1)
        target = uniform_B[:, None] * cumulative[:, -1:]  # below the sum, which is at least 1: it is never rounded up
        return (cumulative > target).argmax(1)

    def _best(self, logits_BV: np.ndarray, texts: Texts) -> np.ndarray:
        return self._processed(logits_BV, texts).argmax(1)

    def _processed(self, logits_BV: np.ndarray, texts: Texts) -> np.ndarray:
        """What the transforms that come first leave.  Raises ArgumentError where they leave nothing."""
        for transform in self.first:
            logits_BV = transform(logits_BV, texts)
        if self.first and not np.isfinite(logits_BV.max(1)).all():
            stuck = np.flatnonzero(~np.isfinite(logits_BV.max(1))).tolist()
            next_step = "Which of the transforms forbid all that the others allow?"
            raise ArgumentError("logits", "a token that may follow, in every row", f"none in row {stuck[0]}", next_step)
        return logits_BV

    def _weights(self, logits_BV: np.ndarray, largest_B1: np.ndarray, texts: Texts) -> np.ndarray:
        """Probabilities but for their sum."""
        transformed = self._processed(logits_BV, texts)
        for transform in self.transforms[len(self.first) :]:
            transformed = transform(transformed, texts)
        return np.exp(transformed - largest_B1) if transformed is logits_BV else _weights(transformed)


def _weights(logits_BV: np.ndarray) -> np.ndarray:
    """e^(logit - largest of the row)."""
    return np.exp(logits_BV - logits_BV.max(1, keepdims=True))


def _checked(logits: Any) -> tuple[np.ndarray, np.ndarray]:
    """(B, V) in float64, and the largest of each row, (B, 1).  Raises ArgumentError where a row is no distribution."""
    array = np.asarray(logits, np.float64)
    if array.ndim in (1, 2) and array.size:
        rows = array.reshape(-1, array.shape[-1])
        largest = rows.max(1, keepdims=True)
        if np.isfinite(largest).all():  # NaN, where there is one, is the largest
            return rows, largest
    found = f"shape {array.shape}" + (f", largest {array.max()}" if array.size else "")
    raise ArgumentError("logits", "(V,) or (B, V) numbers, the largest of each row finite", found)
