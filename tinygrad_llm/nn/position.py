"""Where a token stands, told to attention, which cannot see it: a mean does not know the order of what it is a mean of.

Three ways live here or next door; the fourth, learned positions, is an `Embedding` of the position's number.

    sinusoidal   a table, added to the token embeddings once, below the first layer
    RoPE         `ops.rope` and `ops.rope_table`: queries and keys are turned in every layer
    ALiBi        numbers, added to the scores in every layer: `ops.attention(…, mask=alibi_bias(…))`

All tables are float64; cast them to the dtype of what they meet.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, device_of, to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn.rope_scaling import RopeScaling
from tinygrad_llm.ranges import check_whole

LONGEST_WAVE = 10_000.0  # times 2 pi positions; Vaswani et al., 2017, section 3.5
STEEPEST = 8.0  # the gentlest of the slopes is 2^-8; Press et al., 2022, section 3


def sinusoidal_table(length: int, width: int) -> np.ndarray:
    """p[t, 2i] = sin(t / 10000^(2i/D)), p[t, 2i+1] = cos of the same.  (T, D)

    Sines and cosines alternate, as the paper writes it. Other code (tensor2tensor, Marian, fairseq) puts all sines
    before all cosines: the same columns in another order, which matters only to weights that come from there.
    A shift by k positions is one rotation of each pair, whatever t: that is what RoPE is made of.

    Raises ArgumentError for an odd width.  Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5.
    """
    check_whole(length=length, width=width)
    if width % 2:
        raise ArgumentError("width", "an even number: each wave has a sine and a cosine", width)
    angles = np.arange(length)[:, None] * LONGEST_WAVE ** (-np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return table


def rotate(x: Tensor, positions: Any, base: float, scaling: RopeScaling | None = None) -> Tensor:
    """Queries or keys, rotated by where they stand (RoPE).  (B, H, T, K), positions (T,) or (B, T) -> (B, H, T, K)

    scaling    of the frequencies, for texts longer than those of the training.
    positions  may be OnePosition, of one token a row: then T is 1.

    Cosines and sines come from a table that is made once for each base and size and doubles with the longest position.
    Source: Su et al., "RoFormer", 2021.
    """
    if isinstance(positions, OnePosition):
        cos, sin = positions.turns(x.shape[-1], base, scaling)
        return ops.rope(x.transpose(2, 1, 0, 3), cos=cos, sin=sin).transpose(2, 1, 0, 3)  # rows are its positions
    positions = np.asarray(positions)
    if positions.min(initial=0) < 0:
        raise ArgumentError("positions", "numbers from 0 on", positions.min())
    longest = int(positions.max(initial=0)) + 1
    which = (1 << (longest - 1).bit_length(), x.shape[-1], float(base), scaling)
    changing = 0 if scaling is None else scaling.depends_on(longest)
    if device_of(x.data) != "cpu" and not changing and positions.ndim == 1 and (np.diff(positions) == 1).all():
        cos, sin = _tables_on(device_of(x.data), *which)
        rows = slice(longest - len(positions), longest)
        return ops.rope(x, cos=cos[rows], sin=sin[rows])
    cos, sin = _tables(*which, changing)
    if positions.ndim == 2:
        positions = positions[:, None]
    return ops.rope(x, cos=cos[positions], sin=sin[positions])


class OnePosition:
    """Where one token of each row stands, as a GPU knows it that nobody waits for.

    positions  (B,) integers on the device, all below `longest`.
    """

    def __init__(self, positions: Array, longest: int) -> None:
        self.positions, self.longest = positions, longest
        self.found: dict[Any, tuple[Array, Array]] = {}

    def turns(self, head_size: int, base: float, scaling: RopeScaling | None) -> tuple[Array, Array]:
        """cos and sin (B, K/2), float32, looked up once for all layers that turn alike."""
        which = (1 << (self.longest - 1).bit_length(), head_size, float(base), scaling)
        if which not in self.found:
            tables = _tables_on(device_of(self.positions), *which)
            cos, sin = (table[self.positions].astype("float32") for table in tables)
            self.found[which] = cos, sin
        return self.found[which]


def _tables(
    length: int, head_size: int, base: float, scaling: RopeScaling | None, longest: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin (length, K/2) in float64."""
    if scaling is None:
        return _rope_tables(length, head_size, base)
    return _scaled_tables(length, head_size, base, scaling, longest)


@cache
def _tables_on(
    device: str, length: int, head_size: int, base: float, scaling: RopeScaling | None
) -> tuple[Array, Array]:
    """The same where they are wanted, once and for all: a recorded graph reads no host, and keeps their addresses."""
    cos, sin = _tables(length, head_size, base, scaling)
    return to_device(cos, device), to_device(sin, device)


@lru_cache(maxsize=32)
def _rope_tables(length: int, head_size: int, base: float) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin (length, K/2) in float64."""
    return ops.rope_table(np.arange(length), head_size, base)


@lru_cache(maxsize=8)
def _scaled_tables(
    length: int, head_size: int, base: float, scaling: RopeScaling, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same with other frequencies, times the magnitude that goes with them."""
    angles = np.arange(length)[:, None] * scaling.frequencies(head_size, base, longest)
    return scaling.magnitude() * np.cos(angles), scaling.magnitude() * np.sin(angles)


def alibi_slopes(n_head: int) -> np.ndarray:
    """How fast each head loses interest with distance: 2^(-8/H), 2^(-16/H), … 2^-8.  (H,)

    For H that is no power of two: the slopes of the next smaller power P, then every second one of those of 2P, which
    lie between. Source: Press, Smith and Lewis, "Train Short, Test Long", 2022, section 3; other H as in their code.
    """
    check_whole(n_head=n_head)
    power = 2 ** (int(n_head).bit_length() - 1)
    slopes = 2.0 ** (-STEEPEST / power * np.arange(1, power + 1))
    between = 2.0 ** (-STEEPEST / power * (np.arange(n_head - power) + 0.5))
    return np.concatenate([slopes, between])


def alibi_bias(n_head: int, time: int, source: int | None = None) -> np.ndarray:
    """-slope_h |t + S - T - s|, to be added to the scores of query t and key s.  (H, T, S), S = T where None

    The last query stands at the last key, as `ops.attention(causal=True)` has it. The paper knows the past alone; the
    bars make it serve a model that looks both ways, too. BLOOM adds slope_h s instead: softmax takes no notice of what
    a whole row has in common.  Source: Press, Smith and Lewis, "Train Short, Test Long", 2022.
    """
    source = time if source is None else source
    check_whole(time=time, source=source)
    distance = np.abs(np.arange(time)[:, None] + (source - time) - np.arange(source))
    return -alibi_slopes(n_head)[:, None, None] * distance
