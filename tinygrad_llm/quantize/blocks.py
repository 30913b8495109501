"""Weights in blocks: each block is a scale, its largest number, and for each weight the code of a number near it.

    w ~ s[block] * values[code],     s = max |w| of the block

Codes of 4 bits are packed two a byte, the earlier in the upper half. With **double quantization** the scales are
quantized too: less their mean, in blocks of 256, in eight bits. A weight in blocks of 64 then takes
4 + 8/64 + 32/(64 256) = 4.127 bits instead of 4.5.

Source: Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, sections 2 and 3. Bytes are those of
bitsandbytes, for any size of block that is even.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tinygrad_llm.backend import Array, device_of, is_float, namespace, to_device
from tinygrad_llm.errors import ArgumentError, DtypeError
from tinygrad_llm.quantize.formats import D8, Format, format_of
from tinygrad_llm.ranges import check_whole

SCALES_A_BLOCK = 256
"""Scales that share a scale of their own."""
SMALLEST = np.float32(1e-38)
"""A block of zeros is divided by this."""


@dataclass(frozen=True)
class Scales:
    """The scales of blocks, themselves quantized: offset + scales[block] * D8[code].

    codes   (S,) uint8.
    scales  (S / 256,) float32, rounded up.
    offset  their mean, () float32.
    """

    codes: Array
    scales: Array
    offset: Array

    @classmethod
    def of(cls, scales_S: np.ndarray) -> Scales:
        """Of scales in float32."""
        offset = np.float32(scales_S.mean(dtype=np.float64))
        codes, largest = _coded(scales_S - offset, D8, SCALES_A_BLOCK)
        return cls(codes, largest, np.asarray(offset))

    def numbers(self) -> Array:
        """(S,) float32"""
        xp = namespace(self.codes)
        places = xp.arange(len(self.codes)) // SCALES_A_BLOCK
        return _table(D8, device_of(self.codes))[self.codes] * self.scales[places] + self.offset


@dataclass(frozen=True)
class Quantized:
    """An array in blocks of its numbers as they lie in memory, the last axis fastest.

    codes   (N,) uint8, or (N / 2,) where a code has 4 bits: rounded up.
    scales  (N / block_size,) float32, or `Scales`.
    """

    codes: Array
    scales: Array | Scales
    shape: tuple[int, ...]
    format: Format
    block_size: int

    @property
    def nbytes(self) -> int:
        """Bytes of all its arrays."""
        scales = self.scales
        arrays = [scales.codes, scales.scales, scales.offset] if isinstance(scales, Scales) else [scales]
        return sum(a.nbytes for a in [self.codes, *arrays])

    def block_scales(self) -> Array:
        """The scale of each block as a number.  (N / block_size,) float32"""
        return self.scales.numbers() if isinstance(self.scales, Scales) else self.scales

    def dequantized(self) -> Array:
        """The numbers that the codes stand for, float32, of the shape that was quantized."""
        size = int(np.prod(self.shape))
        return unpacked(self.codes, self.block_scales(), self.format, self.block_size)[:size].reshape(self.shape)


def quantize(x: Array, format: str = "nf4", block_size: int = 64, *, double: bool = False) -> Quantized:
    """x in codes of a format ("nf4", "fp4", "int4", "int8", "d8"), the nearest for each number.

    block_size  how many numbers share a scale; even.
    double      quantizes the scales too.

    Raises ArgumentError for an unknown format, a block_size that is odd or below 2, and for no numbers or such as are
    not finite; DtypeError for anything but floats.
    """
    chosen = format_of(format)
    check_whole(2, block_size=block_size)
    if block_size % 2:
        raise ArgumentError("block_size", "an even number, since two codes share a byte", block_size)
    host = host_floats("quantize", x)
    if not host.size:
        raise ArgumentError("x", "at least one number", f"shape {x.shape}")
    codes, scales = _coded(host.reshape(-1), chosen, block_size)
    packed = codes if chosen.bits == 8 else _packed(codes, chosen)
    kept: Array | Scales = Scales.of(scales) if double else scales
    return Quantized(packed, kept, tuple(x.shape), chosen, block_size)


def host_floats(caller: str, x: Array) -> np.ndarray:
    """x on the host, in float32, row by row.  Raises DtypeError for anything but floats, ArgumentError for NaN and
    infinities."""
    if not is_float(x.dtype):
        raise DtypeError(caller, "an array of floats", str(x.dtype))
    host = np.ascontiguousarray(to_device(x, "cpu"), np.float32)
    if not (finite := np.isfinite(host)).all():
        raise ArgumentError("x", "finite numbers", f"{host[~finite][0]}")
    return host


def _coded(x_N: np.ndarray, format: Format, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The code of each number, and the largest of each block; the last block may be shorter.  (N,), (S,)"""
    whole = len(x_N) - len(x_N) % block_size
    blocks, rest = x_N[:whole].reshape(-1, block_size), x_N[whole:]
    scales = np.abs(blocks).max(1)
    scaled = (blocks * (np.float32(1) / np.maximum(scales, SMALLEST))[:, None]).reshape(-1)
    if len(rest):  # divided, where whole blocks are multiplied by the inverse: bytes are to be the same
        last = np.maximum(np.abs(rest).max(), SMALLEST)
        scales, scaled = np.append(scales, last), np.append(scaled, rest / last)
    return format.codes(np.clip(scaled, -1, 1)), scales


def _packed(codes: np.ndarray, format: Format) -> np.ndarray:
    """Two codes a byte, the earlier in the upper four bits; behind an odd number of them stands that of 0."""
    missing = format.codes(np.zeros(len(codes) % 2, np.float32))
    pairs = np.append(codes, missing).reshape(-1, 2)
    return pairs[:, 0] << 4 | pairs[:, 1]


def unpacked(codes: Array, scales_S: Array, format: Format, block_size: int) -> Array:
    """The numbers of packed codes, those of whole bytes, times the scales of their blocks.  -> (N,) float32"""
    numbers = _table(format, device_of(codes))[codes].view(np.float32)
    whole = len(numbers) - len(numbers) % block_size
    numbers[:whole].reshape(-1, block_size)[...] *= scales_S[: whole // block_size, None]
    if whole < len(numbers):
        numbers[whole:] *= scales_S[-1:]
    return numbers


@cache
def _table(format: Format, device: str) -> Array:
    """What each byte stands for: a number, or two side by side in eight bytes, so that both are looked up at once."""
    values, byte = np.zeros(256, np.float32), np.arange(256)
    values[: len(format.values)] = format.values
    pairs = np.stack([values[byte >> 4], values[byte & 15]], 1).view(np.float64)[:, 0]
    return to_device(pairs if format.bits == 4 else values, device)
