"""Formats: the numbers that so many bits can stand for, from -1 to 1. What a block of weights is scaled by stands
beside its codes.

    NF4   sixteen quantiles of the normal distribution, so that each code of normal weights is used about as often as
          any other, and 0 is one of them
    FP4   a sign, two bits of exponent and one of mantissa: a float
    INT4  -7 ... 7, evenly spaced
    D8    a sign, a number of leading zeros that is the exponent, and the rest a linear fraction: for numbers of very
          different sizes, as scales are

Sources: Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, appendix E (NF4); Dettmers, "8-Bit
Approximations for Parallelism in Deep Learning", 2016 (D8). The numbers, their order and what becomes of a tie are
those of bitsandbytes; INT4 is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from tinygrad_llm.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Format:
    """values  float32, the number of each code, at most 256; between -1 and 1."""

    name: str
    bits: int
    values: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """The codes by rising number, as uint8; of equals the smaller code first."""
        return np.argsort(self.values, kind="stable").astype(np.uint8)

    @cached_property
    def bounds(self) -> np.ndarray:
        """Halfway between neighbouring numbers, float32: one that is not above a bound belongs below it."""
        ranked = self.values[self.order]
        return (ranked[:-1] + ranked[1:]) / np.float32(2)

    def codes(self, scaled: np.ndarray) -> np.ndarray:
        """For numbers from -1 to 1 in float32 the codes of the nearest ones.  (...) -> (...) uint8"""
        return self.order[np.searchsorted(self.bounds, scaled)]


OUTERMOST = 0.9677083
"""The probability of NF4's outermost quantile: the mean of 1 - 1/30 and 1 - 1/32, halves of steps of fifteen and of
sixteen numbers, as bitsandbytes rounds it. At 1 itself the quantile would be infinite."""


def normal_quantiles() -> np.ndarray:
    """NF4's: quantiles of N(0, 1) at evenly spaced probabilities on each side of 0, divided by the largest.  (16,)

    Eight lie above 0, seven below.
    """
    quantile = NormalDist().inv_cdf
    above = [quantile(p) for p in _evenly(OUTERMOST, 0.5, 9)[:-1]]
    below = [-quantile(p) for p in _evenly(OUTERMOST, 0.5, 8)[:-1]]
    values = np.array([*below, 0.0, *above[::-1]], np.float32)
    return values / values.max()


def _evenly(start: float, stop: float, count: int) -> np.ndarray:
    """float32 numbers as `torch.linspace` gives them: from the nearer end, each rounded once.  (count,)"""
    first, last = np.float32(start), np.float32(stop)
    step, places = float((last - first) / np.float32(count - 1)), np.arange(count)
    from_first, from_last = float(first) + step * places, float(last) - step * places[::-1]
    return np.where(places < count // 2, from_first, from_last).astype(np.float32)


def small_floats() -> np.ndarray:
    """FP4's: 0 and 1/16 below normal, then 2^e (1 + m/2), as bitsandbytes orders them, over the largest.  (16,)"""
    sizes = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3])
    return (np.concatenate([sizes, -sizes]) / 12).astype(np.float32)


def dynamic_8_bits() -> np.ndarray:
    """D8's: in each decade 10^(i - 6) the middles of 2^i equal parts of 0.1 ... 1, of both signs; 0 and 1.  (256,)"""
    values = [0.0, 1.0]
    for decade in range(7):
        edges = _evenly(0.1, 1, 2**decade + 1)
        middles = (edges[:-1] + edges[1:]) / np.float32(2)
        scale = np.float32(10.0 ** (decade - 6))
        values += [*(scale * middles), *(-scale * middles)]
    return np.sort(np.array(values, np.float32))


NF4 = Format("nf4", 4, normal_quantiles())
FP4 = Format("fp4", 4, small_floats())
INT4 = Format("int4", 4, (np.arange(-7, 8) / 7).astype(np.float32))
INT8 = Format("int8", 8, (np.arange(-127, 128) / 127).astype(np.float32))
D8 = Format("d8", 8, dynamic_8_bits())
FORMATS = {format.name: format for format in (NF4, FP4, INT4, INT8, D8)}


def format_of(name: str) -> Format:
    """The format of this name.  Raises ArgumentError for another."""
    if name not in FORMATS:
        raise ArgumentError("format", " or ".join(FORMATS), repr(name))
    return FORMATS[name]
