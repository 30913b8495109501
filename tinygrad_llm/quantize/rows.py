"""Weights in eight bits, a scale a row: w ~ s[row] * code / 127, s = max |w| of the row.

Source: Dettmers et al., "LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale", 2022, section 2.1. Bytes
are those of bitsandbytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.backend import Array
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.quantize.blocks import host_floats


@dataclass(frozen=True)
class QuantizedRows:
    """codes (R, I) int8, from -127 to 127.  scales (R,) float32, the largest number of each row."""

    codes: Array
    scales: Array

    def dequantized(self) -> Array:
        """The numbers that the codes stand for.  (R, I) float32"""
        return self.codes * self.scales[:, None] * np.float32(1 / 127)


def quantize_rows(x: Array) -> QuantizedRows:
    """Each row in eight bits; a number halfway between two codes gets the even one.  (R, I)

    Raises ArgumentError for another number of axes, no numbers, or such as are not finite; DtypeError for anything but
    floats.
    """
    host = host_floats("quantize_rows", x)
    if host.ndim != 2 or not host.size:
        raise ArgumentError("x", "(R, I) with at least one number", f"shape {x.shape}")
    scales = np.abs(host).max(1)
    steps = np.divide(np.float32(127), scales, out=np.zeros_like(scales), where=scales > 0)
    return QuantizedRows(np.rint(host * steps[:, None]).astype(np.int8), scales)
