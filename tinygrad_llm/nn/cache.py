"""What a model remembers of the tokens it has read, so that the next one costs one position and not all of them.

A model takes a cache as `hidden(tokens, cache=cache)`: it reads `tokens` as what follows the cached, and adds them.
Rows may have different lengths: a batch of prompts is padded at the right, read at once, and `crop` tells each row how
much of it counts; what is written next overwrites the rest. No gradient flows through a cache.

Source of the idea: Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", 2019, section 2.4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.backend import Array, beside, namespace
from tinygrad_llm.errors import ArgumentError, GradientError, ShapeError

CAPACITY = 64
"""Positions that a cache has room for at first; it doubles when they are used up."""


class Cache(ABC):
    """lengths  (B,) on the host: how many tokens of each row have been read."""

    def __init__(self, batch: int) -> None:
        self.lengths = np.zeros(batch, np.int64)

    def positions(self, time: int) -> np.ndarray:
        """Where the next `time` tokens stand: (T,) where all rows are equally long, else (B, T)."""
        start = self.lengths[:1] if self.uniform() else self.lengths[:, None]
        return start + np.arange(time)

    def uniform(self) -> bool:
        """Whether all rows are equally long."""
        return len(self.lengths) < 2 or not (self.lengths != self.lengths[0]).any()

    def advance(self, time: int) -> None:
        """Counts `time` new positions in every row, once all layers have taken them."""
        self.lengths = self.lengths + time

    @abstractmethod
    def crop(self, lengths: Sequence[int] | np.ndarray) -> None:
        """Forgets all but the first lengths[b] tokens of each row."""

    @abstractmethod
    def select(self, rows: Sequence[int] | np.ndarray) -> Self:
        """A new cache of these rows, in this order; a row may occur several times or not at all."""

    @abstractmethod
    def put(self, rows: Sequence[int] | np.ndarray, other: Self) -> None:
        """Replaces these rows by those of another cache."""

    def repeat(self, count: int) -> Self:
        """A new cache in which every row stands `count` times in succession."""
        return self.select(np.repeat(np.arange(len(self.lengths)), count))

    def _check_crop(self, lengths: Any, least: Any = 0) -> np.ndarray:
        lengths = np.asarray(lengths, np.int64)
        if lengths.shape != self.lengths.shape:
            raise ShapeError("lengths", f"(B,) = {self.lengths.shape}", lengths.shape)
        if (lengths > self.lengths).any() or (lengths < least).any():
            raise ArgumentError("lengths", f"between {least} and the cached {self.lengths}", lengths)
        return lengths


class KVCache(Cache):
    """Keys (B, G, S, K) and values (B, G, S, J) of each attention layer, in memory that doubles when it is full.

    window  keeps at least the last `window` positions of every row and drops older ones (sliding-window attention);
            `start` (B,) tells how many each row has dropped.
    """

    def __init__(self, n_layer: int, batch: int, *, capacity: int = CAPACITY, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise ArgumentError("window", "at least 1 position", window)
        super().__init__(batch)
        self.capacity, self.window, self.start = max(1, capacity), window, np.zeros(batch, np.int64)
        self.layers = [LayerCache(self) for _ in range(n_layer)]
        self.cross = [CrossCache() for _ in range(n_layer)]

    def __getitem__(self, layer: int) -> LayerCache:
        return self.layers[layer]

    def advance(self, time: int) -> None:
        """See Cache. With a window, drops what no query can see any more once a copy is worth it."""
        super().advance(time)
        if self.window is not None and (self.lengths - self.start).max(initial=0) >= 2 * self.window:
            used = self.lengths - self.start
            kept = np.minimum(used, self.window)
            for layer in self.layers:
                layer.keep_last(used, kept)
            self.start = self.lengths - kept

    def crop(self, lengths: Sequence[int] | np.ndarray) -> None:
        """See Cache.  Raises ArgumentError for positions that the window has dropped."""
        self.lengths = self._check_crop(lengths, self.start)

    def select(self, rows: Sequence[int] | np.ndarray) -> Self:
        """See Cache."""
        rows = np.asarray(rows, np.int64)
        twin = type(self)(len(self.layers), len(rows), capacity=self.capacity, window=self.window)
        twin.lengths, twin.start = self.lengths[rows], self.start[rows]
        used = int((twin.lengths - twin.start).max(initial=0))
        for mine, theirs in zip(self.layers, twin.layers):
            theirs.take(mine, rows, used)
        for mine_cross, theirs_cross in zip(self.cross, twin.cross):
            theirs_cross.take(mine_cross, rows)
        return twin

    def put(self, rows: Sequence[int] | np.ndarray, other: Self) -> None:
        """See Cache."""
        rows = np.asarray(rows, np.int64)
        used = int((other.lengths - other.start).max(initial=0))
        self.lengths[rows], self.start[rows] = other.lengths, other.start
        for mine, theirs in zip(self.layers, other.layers):
            mine.put(rows, theirs, used)


class LayerCache:
    """The part of a KVCache that belongs to one attention layer."""

    def __init__(self, cache: KVCache) -> None:
        self.cache = cache
        self.keys: Array | None = None
        self.values: Array | None = None

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, np.ndarray | None]:
        """Writes the keys (B, G, T, K) and values (B, G, T, J) of the next T positions behind those that are there.

        -> all keys, all values, and how many of them each row has; None where that is all of them.
        """
        if MODE.get().grad_enabled and (k.requires_grad or v.requires_grad):
            raise GradientError("cache", "a forward pass without gradients", "one", "Wrap it in `with no_grad():`.")
        cache, time = self.cache, k.shape[2]
        used = cache.lengths - cache.start
        end = int(used.max(initial=0)) + time
        keys, values = self.room(k.data, v.data, end)
        if cache.uniform():
            begin = end - time
            keys[:, :, begin:end], values[:, :, begin:end] = k.data, v.data
            ends = None
        else:
            rows, slots = np.arange(len(used))[:, None], used[:, None] + np.arange(time)
            rows, slots = beside(rows, keys), beside(slots, keys)
            keys[rows, :, slots] = k.data.transpose(0, 2, 1, 3)
            values[rows, :, slots] = v.data.transpose(0, 2, 1, 3)
            ends = used + time
        return Tensor(keys[:, :, :end]), Tensor(values[:, :, :end]), ends

    def room(self, k: Array, v: Array, end: int) -> tuple[Array, Array]:
        """The arrays of keys and values, with at least `end` positions, for more that are shaped like k and v."""
        while self.cache.capacity < end:
            self.cache.capacity *= 2
        self.keys = _grown(self.keys, k, self.cache.capacity)
        self.values = _grown(self.values, v, self.cache.capacity)
        return self.keys, self.values

    def keep_last(self, used: np.ndarray, kept: np.ndarray) -> None:
        """Moves the last kept[b] of used[b] positions of each row to the front."""
        if self.keys is None or self.values is None:
            return
        slots = beside((used - kept)[:, None] + np.arange(int(kept.max(initial=0))), self.keys)
        slots = namespace(slots).minimum(slots, self.keys.shape[2] - 1)[:, None, :, None]
        for array in (self.keys, self.values):
            array[:, :, : slots.shape[2]] = namespace(array).take_along_axis(array, slots, 2)

    def take(self, other: LayerCache, rows: np.ndarray, used: int) -> None:
        """The first `used` positions of these rows of another."""
        for name in ("keys", "values"):
            source = getattr(other, name)
            if source is not None:
                target = _grown(None, source[: len(rows)], self.cache.capacity, batch=len(rows))
                target[:, :, :used] = source[beside(rows, source), :, :used]
                setattr(self, name, target)

    def put(self, rows: np.ndarray, other: LayerCache, used: int) -> None:
        """Replaces these rows by another's."""
        if other.keys is None or other.values is None:
            return
        keys, values = self.room(other.keys, other.values, used)
        for mine, theirs in ((keys, other.keys), (values, other.values)):
            mine[beside(rows, mine), :, :used] = theirs[:, :, :used]


class CrossCache:
    """Keys and values of a text that does not grow: the encoder's, made once."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None
        self.lengths: Array | None = None

    def fill(
        self, make: Callable[[], tuple[Tensor, Tensor]], lengths: Array | None
    ) -> tuple[Tensor, Tensor, Array | None]:
        """The keys (B, G, S, K), values (B, G, S, J) and lengths (B,) that are there; made first where they are not."""
        if self.keys is None or self.values is None:
            keys, values = make()
            if MODE.get().grad_enabled and (keys.requires_grad or values.requires_grad):
                raise GradientError("cache", "a forward pass without gradients", "one", "Wrap it in `with no_grad():`.")
            self.keys, self.values, self.lengths = keys, values, lengths
        return self.keys, self.values, self.lengths

    def take(self, other: CrossCache, rows: np.ndarray) -> None:
        """These rows of another."""
        if other.keys is not None and other.values is not None:
            self.keys, self.values = (Tensor(x.data[beside(rows, x.data)]) for x in (other.keys, other.values))
            self.lengths = None if other.lengths is None else other.lengths[beside(rows, other.lengths)]


class StateCache(Cache):
    """The state of each recurrent layer after the tokens read: of fixed size, however long the text.

    states  for each layer the arrays of its state, (B, F) each, None before the first token.
    """

    def __init__(self, n_layer: int, batch: int) -> None:
        super().__init__(batch)
        self.states: list[tuple[Array, ...] | None] = [None] * n_layer
        self.history: list[tuple[Array, ...] | None] = [None] * n_layer
        self.read = 0

    def remember(self, layer: int, states: Sequence[Array]) -> None:
        """The layer's states after each of the T tokens just read, arrays (B, T, F); `crop` can go back to any."""
        self.history[layer] = tuple(states)
        self.states[layer] = tuple(s[:, -1] for s in states)
        self.read = states[0].shape[1]

    def crop(self, lengths: Sequence[int] | np.ndarray) -> None:
        """See Cache. A state cannot be undone: lengths reach back to the first of the tokens read last, no further."""
        lengths = self._check_crop(lengths, self.lengths - self.read + 1 if self.read else self.lengths)
        place = self.read - 1 - (self.lengths - lengths)
        for layer, history in enumerate(self.history):
            if history is not None:
                rows, at = (beside(i, history[0]) for i in (np.arange(len(lengths)), place))
                self.states[layer] = tuple(s[rows, at] for s in history)
        self.lengths, self.read = lengths, 0
        self.history = [None] * len(self.history)

    def select(self, rows: Sequence[int] | np.ndarray) -> Self:
        """See Cache."""
        rows = np.asarray(rows, np.int64)
        twin = type(self)(len(self.states), len(rows))
        twin.lengths = self.lengths[rows]
        twin.states = [None if s is None else tuple(a[beside(rows, a)] for a in s) for s in self.states]
        return twin

    def put(self, rows: Sequence[int] | np.ndarray, other: Self) -> None:
        """See Cache."""
        self.lengths[np.asarray(rows)] = other.lengths
        for mine, theirs in zip(self.states, other.states):
            for a, b in zip(mine or (), theirs or ()):
                a[beside(np.asarray(rows), a)] = b


def _grown(old: Array | None, like: Array, capacity: int, batch: int | None = None) -> Array:
    """(B, G, capacity, .) that begins with the old positions."""
    if old is not None and old.shape[2] >= capacity:
        return old
    rows = len(like) if batch is None else batch
    rows = rows if old is None else len(old)
    new = namespace(like).zeros((rows, like.shape[1], capacity, like.shape[3]), like.dtype)
    if old is not None:
        new[:, :, : old.shape[2]] = old
    return new
