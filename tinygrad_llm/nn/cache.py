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
from tinygrad_llm.backend import Array, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, GradientError, ShapeError
from tinygrad_llm.ranges import check_whole

CAPACITY = 64
"""Positions that a cache has room for at first; it doubles when they are used up."""


class Cache(ABC):
    """lengths  (B,) on the host: how many tokens of each row have been read."""

    def __init__(self, batch: int) -> None:
        self.lengths = np.zeros(batch, np.int64)

    @property
    def longest(self) -> int:
        """The length of the longest row; 0 without rows."""
        return max(self.lengths.tolist(), default=0)

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

    @abstractmethod
    def fresh(self, rows: Sequence[int] | np.ndarray) -> Self:
        """A new cache for these rows that has read nothing; what belongs to their sources stays."""

    def repeat(self, count: int) -> Self:
        """A new cache in which every row stands `count` times in succession."""
        return self.select(np.repeat(np.arange(len(self.lengths)), count))

    def _check_crop(self, lengths: Any, least: Any) -> np.ndarray:
        lengths = np.array(lengths, np.int64)
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
        check_whole(window=1 if window is None else window)
        super().__init__(batch)
        self.capacity, self.window, self.start = max(1, capacity), window, np.zeros(batch, np.int64)
        self.layers = [LayerCache(self) for _ in range(n_layer)]
        self.cross = [CrossCache() for _ in range(n_layer)]

    def __getitem__(self, layer: int) -> LayerCache:
        return self.layers[layer]

    def used(self) -> np.ndarray:
        """How many positions of each row are in memory, before new ones are written behind them.  (B,)

        With a window, first drops what no query can see any more once a copy is worth it: not sooner, since what was
        read last may be cropped.
        """
        used = self.lengths - self.start
        if self.window is not None and used.max(initial=0) >= 2 * self.window:
            kept = np.minimum(used, self.window)
            for layer in self.layers:
                layer.keep_last(used, kept)
            self.start, used = self.lengths - kept, kept
        return used

    def crop(self, lengths: Sequence[int] | np.ndarray) -> None:
        """See Cache.  Raises ArgumentError where the next query would see positions that the window has dropped."""
        seen = 0 if self.window is None else self.window - 1  # by the next query, itself left out
        self.lengths = self._check_crop(lengths, np.where(self.start > 0, self.start + seen, 0))

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

    def fresh(self, rows: Sequence[int] | np.ndarray) -> Self:
        """See Cache. Keys and values of an encoder's text stay."""
        rows = np.asarray(rows, np.int64)
        twin = type(self)(len(self.layers), len(rows), capacity=self.capacity, window=self.window)
        for mine, theirs in zip(self.cross, twin.cross):
            theirs.take(mine, rows)
        return twin

    def put(self, rows: Sequence[int] | np.ndarray, other: Self) -> None:
        """See Cache.  Raises ShapeError where the two have read encoders' texts that are padded to other lengths."""
        rows = np.asarray(rows, np.int64)
        for mine_cross, theirs_cross in zip(self.cross, other.cross):
            mine_cross.put(rows, theirs_cross)
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
        _check_unrecorded(k, v)
        cache, time = self.cache, k.shape[2]
        used = cache.used()
        end = int(used.max(initial=0)) + time
        keys, values = self.room(k.data, v.data, end)
        if (used == used[:1]).all():
            begin = end - time
            keys[:, :, begin:end], values[:, :, begin:end] = k.data, v.data
            ends = None
        else:
            rows, slots = np.arange(len(used))[:, None], used[:, None] + np.arange(time)
            rows, slots = to_device_of(rows, keys), to_device_of(slots, keys)
            keys[rows, :, slots] = k.data.transpose(0, 2, 1, 3)
            values[rows, :, slots] = v.data.transpose(0, 2, 1, 3)
            ends = used + time
        return _constant(keys[:, :, :end]), _constant(values[:, :, :end]), ends

    def room(self, k: Array, v: Array, end: int) -> tuple[Array, Array]:
        """The arrays of keys and values, with at least `end` positions, for more that are shaped like k and v."""
        while self.cache.capacity < end:
            self.cache.capacity *= 2
        batch = len(self.cache.lengths)
        self.keys = _grown(self.keys, k, self.cache.capacity, batch)
        self.values = _grown(self.values, v, self.cache.capacity, batch)
        return self.keys, self.values

    def keep_last(self, used: np.ndarray, kept: np.ndarray) -> None:
        """Moves the last kept[b] of used[b] positions of each row to the front."""
        if self.keys is None or self.values is None:
            return
        slots = to_device_of((used - kept)[:, None] + np.arange(int(kept.max(initial=0))), self.keys)[:, None, :, None]
        for array in (self.keys, self.values):
            array[:, :, : slots.shape[2]] = namespace(array).take_along_axis(array, slots, 2)

    def take(self, other: LayerCache, rows: np.ndarray, used: int) -> None:
        """The first `used` positions of these rows of another."""
        for name in ("keys", "values"):
            source = getattr(other, name)
            if source is not None:
                target = _grown(None, source, self.cache.capacity, len(rows))
                target[:, :, :used] = source[to_device_of(rows, source), :, :used]
                setattr(self, name, target)

    def put(self, rows: np.ndarray, other: LayerCache, used: int) -> None:
        """Replaces these rows by another's."""
        if other.keys is None or other.values is None:
            return
        keys, values = self.room(other.keys, other.values, used)
        for mine, theirs in ((keys, other.keys), (values, other.values)):
            mine[to_device_of(rows, mine), :, :used] = theirs[:, :, :used]


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
            _check_unrecorded(keys, values)
            self.keys, self.values, self.lengths = keys, values, lengths
        return self.keys, self.values, self.lengths

    def take(self, other: CrossCache, rows: np.ndarray) -> None:
        """These rows of another."""
        if other.keys is not None and other.values is not None:
            self.keys, self.values = (_constant(x.data[to_device_of(rows, x.data)]) for x in (other.keys, other.values))
            self.lengths = None if other.lengths is None else other.lengths[to_device_of(rows, other.lengths)]

    def put(self, rows: np.ndarray, other: CrossCache) -> None:
        """Replaces these rows by another's.  Raises ShapeError where the texts are padded to other lengths."""
        if self.keys is None or self.values is None or other.keys is None or other.values is None:
            return
        if self.keys.shape[1:] != other.keys.shape[1:] or (self.lengths is None) != (other.lengths is None):
            raise ShapeError(
                "other", f"sources of shape {self.keys.shape[1:]}", other.keys.shape[1:], "Pad them alike."
            )
        self.keys, self.values = _with_rows(self.keys, rows, other.keys), _with_rows(self.values, rows, other.values)
        if self.lengths is not None:
            self.lengths = _with_rows(_constant(self.lengths), rows, _constant(other.lengths)).data


class StateCache(Cache):
    """The state of each recurrent layer after the tokens read: of fixed size, however long the text.

    states  for each layer the arrays of its state, (B, F) each, None before the first token.
    """

    def __init__(self, n_layer: int, batch: int) -> None:
        super().__init__(batch)
        self.states: list[tuple[Array, ...] | None] = [None] * n_layer
        self.history: list[tuple[Array, ...] | None] = [None] * n_layer
        self.read = 0

    def remember(self, layer: int, states: Sequence[Tensor]) -> None:
        """The layer's states after each of the T tokens just read, (B, T, F) each; `crop` can go back to any."""
        _check_unrecorded(*states)
        self.history[layer] = tuple(s.data for s in states)
        self.states[layer] = tuple(s.data[:, -1] for s in states)
        self.read = states[0].shape[1]

    def crop(self, lengths: Sequence[int] | np.ndarray) -> None:
        """See Cache. A state cannot be undone: lengths reach back to the first of the tokens read last, no further."""
        lengths = self._check_crop(lengths, self.lengths - self.read + 1 if self.read else self.lengths)
        place = self.read - 1 - (self.lengths - lengths)
        for layer, history in enumerate(self.history):
            if history is not None:
                rows, at = (to_device_of(i, history[0]) for i in (np.arange(len(lengths)), place))
                self.states[layer] = tuple(s[rows, at] for s in history)
        self.lengths, self.read = lengths, 0
        self.history = [None] * len(self.history)

    def select(self, rows: Sequence[int] | np.ndarray) -> Self:
        """See Cache."""
        rows = np.asarray(rows, np.int64)
        twin = type(self)(len(self.states), len(rows))
        twin.lengths = self.lengths[rows]
        twin.states = [None if s is None else tuple(a[to_device_of(rows, a)] for a in s) for s in self.states]
        return twin

    def fresh(self, rows: Sequence[int] | np.ndarray) -> Self:
        """See Cache."""
        return type(self)(len(self.states), len(rows))

    def put(self, rows: Sequence[int] | np.ndarray, other: Self) -> None:
        """See Cache. What was read last can be cropped no more."""
        rows = np.asarray(rows, np.int64)
        self.lengths[rows] = other.lengths
        for layer, (mine, theirs) in enumerate(zip(self.states, other.states)):
            if mine is not None or theirs is not None:
                self.states[layer] = _with_states(mine, len(self.lengths), rows, theirs)
        self.history, self.read = [None] * len(self.history), 0


def _constant(array: Array) -> Tensor:
    """The array as a tensor, where it is and without a copy."""
    return Tensor.result(array, None, None)


def _check_unrecorded(*tensors: Tensor) -> None:
    """Raises GradientError where a gradient is to flow through what a cache remembers."""
    if MODE.get().grad_enabled and any(t.requires_grad for t in tensors):
        raise GradientError("cache", "a forward pass without gradients", "one", "Wrap it in `with no_grad():`.")


def _with_rows(old: Tensor, rows: np.ndarray, new: Tensor) -> Tensor:
    """A copy of `old` in which these rows are those of `new`."""
    array = old.data.copy()
    array[to_device_of(rows, array)] = new.data
    return _constant(array)


def _with_states(
    old: tuple[Array, ...] | None, batch: int, rows: np.ndarray, new: tuple[Array, ...] | None
) -> tuple[Array, ...]:
    """A layer's state in which these rows are those of `new`; zero is the state of what has read nothing."""
    parts = []
    for number, like in enumerate(new or old or ()):
        array = namespace(like).zeros((batch, *like.shape[1:]), like.dtype) if old is None else old[number].copy()
        array[to_device_of(rows, array)] = 0 if new is None else new[number]
        parts.append(array)
    return tuple(parts)


def _grown(old: Array | None, like: Array, capacity: int, batch: int) -> Array:
    """(B, G, capacity, .) that begins with the old positions."""
    if old is not None and old.shape[2] >= capacity:
        return old
    new = namespace(like).zeros((batch, like.shape[1], capacity, like.shape[3]), like.dtype)
    if old is not None:
        new[:, :, : old.shape[2]] = old
    return new
