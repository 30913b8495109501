"""Rotary positions beyond the length that a model was trained on: what becomes of RoPE's frequencies.

RoPE turns pair i by w_i = base^(-2i/K) a position, one full turn in 2 pi / w_i positions. Pairs that turn slowly have
never gone round within the trained length L: beyond it they show angles that no query or key has met. All remedies turn
such pairs more slowly, by a factor s (the new length over the old), and differ in what they do to the fast ones.

    LinearScaling    all pairs by 1/s: positions between the positions (Chen et al., 2023)
    DynamicScaling   a larger base: the slowest pair by 1/s, the fastest not at all, as much as this text needs
    YaRN             pairs that go round often not at all, those that never do by 1/s, a ramp between; and a factor on
                     queries and keys that sharpens the scores (Peng et al., 2024)
    Llama3Scaling    the same idea with the ramp over wavelengths (Grattafiori et al., 2024)

Frequencies are float64. A scaling is part of a model's configuration and holds no state.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinygrad_llm.errors import ConfigError


@dataclass(frozen=True)
class RopeScaling(ABC):
    """factor s, at least 1."""

    least_head_size: ClassVar[int] = 2
    factor: float

    def __post_init__(self) -> None:
        self._check("factor", self.factor, 1.0)

    @abstractmethod
    def frequencies(self, head_size: int, base: float, longest: int) -> np.ndarray:
        """Radians a position for each pair, in a text of `longest` positions.  (K/2,)"""

    def check_head_size(self, head_size: int) -> None:
        """Raises ConfigError for heads that it cannot turn."""
        if head_size < self.least_head_size:
            raise ConfigError("head_size", f"at least {self.least_head_size} for this rope_scaling", head_size)

    def depends_on(self, longest: int) -> int:
        """The length that the frequencies depend on; 0 where they are the same for all texts."""
        return 0

    def magnitude(self) -> float:
        """What cosines and sines are multiplied by: the scores then are by its square."""
        return 1.0

    @staticmethod
    def _check(name: str, value: Any, least: float) -> None:
        if type(value) not in (int, float) or not least <= value < math.inf:
            raise ConfigError(f"rope_scaling.{name}", f"a number of at least {least:g}", repr(value))


@dataclass(frozen=True)
class _Trained(RopeScaling):
    """original  L, the length that the model was trained on first."""

    original: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.original) is not int or self.original < 1:
            raise ConfigError("rope_scaling.original", "a whole number of at least 1", repr(self.original))


@dataclass(frozen=True)
class LinearScaling(RopeScaling):
    """w_i / s: position t counts as t/s, which stands between the trained ones.

    It needs some training at the new length, and neighbours become harder to tell apart. Source: Chen et al.,
    "Extending Context Window of Large Language Models via Positional Interpolation", 2023.
    """

    def frequencies(self, head_size: int, base: float, longest: int) -> np.ndarray:
        """See RopeScaling."""
        return plain(head_size, base) / self.factor


@dataclass(frozen=True)
class DynamicScaling(_Trained):
    """w_i with the base times (s T/L - (s - 1))^(K/(K-2)) in a text of T > L positions; up to L nothing changes.

    With that exponent the slowest pair turns by 1/(s T/L - (s - 1)), the fastest as it did. The frequencies depend on
    how long the text is: reading on with a cache leaves the keys that are there as they were turned, as transformers
    does, so that beyond L cached and whole reading differ a little; and all rows of a batch go by its longest. Source:
    "Dynamically Scaled RoPE", u/emozilla, after "NTK-Aware Scaled RoPE", u/bloc97, 2023; Peng et al., 2024, section 3.
    """

    least_head_size = 4  # the one pair of a smaller head is the slowest and the fastest

    def frequencies(self, head_size: int, base: float, longest: int) -> np.ndarray:
        """See RopeScaling.  Raises ConfigError for heads of one pair."""
        self.check_head_size(head_size)
        stretch = self.factor * max(longest, self.original) / self.original - (self.factor - 1)
        return ntk_frequencies(head_size, base, stretch)

    def depends_on(self, longest: int) -> int:
        """See RopeScaling."""
        return max(longest, self.original)


@dataclass(frozen=True)
class YaRN(_Trained):
    """(1 - r_i) w_i + r_i w_i / s, where the ramp r_i rises from 0 to 1 between two pairs.

    Pair d(n) = K ln(L / (2 pi n)) / (2 ln base) is the one that goes round n times in L positions. The ramp begins at
    pair d(fast) and ends at pair d(slow), each rounded outwards where `truncate`, and kept inside the head.

    attention_factor  what queries and keys are multiplied by, 0.1 ln s + 1 where None.

    Source: Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models", 2024, sections 3.2 to 3.4,
    where beta = `fast` and alpha = `slow`. As in their code the ramp is linear in the number of the pair, not in how
    often it goes round.
    """

    fast: float = 32.0
    slow: float = 1.0
    attention_factor: float | None = None
    truncate: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("slow", self.slow, math.ulp(0.0))
        self._check("fast", self.fast, self.slow)
        if self.attention_factor is not None:
            self._check("attention_factor", self.attention_factor, math.ulp(0.0))
        if type(self.truncate) is not bool:
            raise ConfigError("rope_scaling.truncate", "true or false", repr(self.truncate))

    def frequencies(self, head_size: int, base: float, longest: int) -> np.ndarray:
        """See RopeScaling."""
        first, last = (
            head_size * math.log(self.original / (2 * math.pi * turns)) / (2 * math.log(base))
            for turns in (self.fast, self.slow)
        )
        if self.truncate:
            first, last = math.floor(first), math.ceil(last)
        first, last = max(first, 0), min(last, head_size - 1)
        width = last - first or 0.001  # a step where the two meet, as in their code
        ramp = np.clip((np.arange(head_size // 2) - first) / width, 0.0, 1.0)
        w = plain(head_size, base)
        return (1 - ramp) * w + ramp * w / self.factor

    def magnitude(self) -> float:
        """See RopeScaling."""
        return yarn_factor(self.factor) if self.attention_factor is None else self.attention_factor


@dataclass(frozen=True)
class Llama3Scaling(_Trained):
    """w_i where it goes round more than `high` times in L positions, w_i / s where less than `low` times; between them
    (1 - m) w_i / s + m w_i with m = (turns - low) / (high - low), turns = L w_i / (2 pi).

    Source: Grattafiori et al., "The Llama 3 Herd of Models", 2024, section 3.2; the formula is of their code.
    """

    low: float = 1.0
    high: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("low", self.low, math.ulp(0.0))
        self._check("high", self.high, math.nextafter(self.low, math.inf))

    def frequencies(self, head_size: int, base: float, longest: int) -> np.ndarray:
        """See RopeScaling."""
        w = plain(head_size, base)
        turns = self.original * w / (2 * math.pi)
        m = np.clip((turns - self.low) / (self.high - self.low), 0.0, 1.0)
        return (1 - m) * w / self.factor + m * w


def plain(head_size: int, base: float) -> np.ndarray:
    """RoPE's own frequencies, base^(-2i/K).  (K/2,) float64"""
    return base ** (-np.arange(0, head_size, 2) / head_size)


def ntk_frequencies(head_size: int, base: float, factor: float) -> np.ndarray:
    """Those of the base times s^(K/(K-2)): the slowest pair turns by 1/s, the fastest as it did; K > 2.  (K/2,)"""
    return plain(head_size, base * factor ** (head_size / (head_size - 2)))


def yarn_factor(factor: float, weight: float = 1.0) -> float:
    """0.1 weight ln s + 1: Peng et al., 2024, equation 22, where it is 1/sqrt(t)."""
    return 0.1 * weight * math.log(factor) + 1.0
