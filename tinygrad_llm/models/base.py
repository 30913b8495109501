"""What every language model here is: token ids in, a distribution over the next token out at every position.

A model says how it makes its hidden states and which matrix turns them into logits. Logits, loss, next logits and
log-probabilities of tokens are written once, here, and every step, sampler and evaluation works with any model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, as_array, device_of, is_array, namespace, to_device_of
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.nn import Cache, Module, Rng
from tinygrad_llm.shapes import check_shape

Batch = Mapping[str, Array]
"""Arrays by name with one leading axis, the examples: here "tokens" and "targets", both (B, T) integers."""


class LanguageModel(Module, ABC):
    """Base of decoder-only, recurrent and conditioned models. Subclasses define `hidden`, `head` and `new_cache`.

    vocab_size  V.
    block_size  the longest T, or None where there is no limit.
    """

    vocab_size: int
    block_size: int | None

    @abstractmethod
    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: Any = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The states that the head reads.  (B, T) integers -> (B, T, D)

        mask       what a position may see, as nn.Attention takes it.
        positions  where the tokens stand, (T,) or (B, T); 0 to T - 1, or what follows the cache.
        cache      of `new_cache`: tokens are read as what follows those in it, and are added to it.
        rng        makes dropout active.
        dtype      of the activations; that of the weights where None.
        """

    @abstractmethod
    def head(self) -> tuple[Tensor, Tensor | None]:
        """The matrix (V, D) and the bias (V,), if any, that turn a state into logits."""

    @abstractmethod
    def new_cache(self, batch: int, capacity: int = 64) -> Cache:
        """An empty cache for `batch` texts, with room for `capacity` tokens each to begin with."""

    def behind_a_prompt(self) -> LanguageModel:
        """The model that reads on with a cache which is not empty: itself, unless only beginnings are special."""
        return self

    def __call__(self, tokens: Any, **options: Any) -> Tensor:
        """Logits of the next token at every position.  (B, T) -> (B, T, V); options as `hidden` has them."""
        return ops.linear(self.hidden(tokens, **options), *self.head())

    def next_logits(self, tokens: Any, lengths: Any = None, **options: Any) -> Tensor:
        """Logits of the token after the last position alone.  (B, T) -> (B, V)

        lengths  (B,) how many of the T tokens count in each row, the rest being padding at the right; T where None.
        """
        states = self.hidden(tokens, **options)
        if lengths is None:
            last = states[:, -1]
        else:
            rows = np.arange(states.shape[0])
            last = states[rows, np.asarray(lengths, np.int64) - 1]
        return ops.linear(last, *self.head())

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """What training minimises: the cross-entropy, and what else a model adds to it.  See there.  -> ()"""
        return self.cross_entropy(batch, rng=rng, divisor=divisor, dtype=dtype)

    def cross_entropy(
        self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None, **options: Any
    ) -> Tensor:
        """The mean of -ln p(target), in nats a token, over the targets that are not ignored.  -> ()

        batch    "tokens" and "targets", (B, T) each; a "mask" and "positions" where it has them.
        divisor  divides the sum instead of the count, for parts of a batch.
        dtype    of the activations, that of the weights where None; the loss of bfloat16 is float32.
        options  more for `hidden`.
        """
        states = self.hidden(batch["tokens"], rng=rng, dtype=dtype, **context(batch), **options)
        weight, bias = self.head()
        if bias is None:
            return ops.linear_cross_entropy(states, weight, batch["targets"], divisor=divisor)
        return ops.cross_entropy(ops.linear(states, weight, bias), batch["targets"], divisor=divisor)

    def token_log_probs(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """ln p(target) at every position, 0 where the target is ignored; with gradient.  -> (B, T)"""
        logits = self(batch["tokens"], rng=rng, dtype=dtype, **context(batch))
        return -ops.cross_entropy(logits, batch["targets"], reduction="none")

    def _token_ids(self, tokens: Any, cached: int = 0) -> Array:
        return token_ids(tokens, self.block_size, cached)


def token_ids(tokens: Any, block_size: int | None, cached: int = 0, name: str = "tokens") -> Array:
    """The ids as an array (B, T).  Raises ShapeError for another shape, none, or more than block_size positions."""
    tokens = as_array(tokens.data if isinstance(tokens, Tensor) else tokens)
    time = check_shape(name, tokens, "BT", "Put a single sequence into a batch of one: tokens[None].")["T"]
    if time < 1 or (block_size is not None and cached + time > block_size):
        wanted = "at least 1 position" if block_size is None else f"1 to block_size = {block_size} positions"
        next_step = "Crop the text to block_size tokens, or train a model with a longer context."
        raise ShapeError(name, wanted, cached + time, next_step)
    return tokens


def context(batch: Batch, names: Iterable[str] = ("mask", "positions")) -> dict[str, Any]:
    """What a batch says besides tokens and targets, as far as it says it."""
    return {name: batch[name] for name in names if name in batch}


def position_rows(table: Tensor, positions: Any, time: int, cache: Cache | None) -> Tensor:
    """Rows of a table of learned positions: (T, D) where all examples stand at the same, else (B, T, D)."""
    if positions is None and cache is not None:
        positions = cache.positions(time)
    if positions is None:
        return table[:time]
    if is_array(positions) and device_of(positions) != "cpu":  # not looked at: nobody waits for a GPU here
        return ops.embedding(table, positions)
    positions = np.asarray(positions)
    if positions.ndim not in (1, 2) or positions.shape[-1] != time:
        raise ShapeError("positions", f"(T,) or (B, T) with T = {time}", positions.shape)
    if positions.size and not 0 <= positions.min() <= positions.max() < len(table):
        raise ShapeError("positions", f"0 to {len(table) - 1}", f"{positions.min()} to {positions.max()}")
    if positions.ndim == 1 and (positions[1:] - positions[:-1] == 1).all():
        return table[int(positions[0]) : int(positions[0]) + time]
    return ops.embedding(table, positions)


def last_of(tokens: Array, pad_id: int) -> Array:
    """How many tokens each row has up to its last that is no padding.  (B, S) -> (B,) integers, at least 0"""
    xp = namespace(tokens)
    places = to_device_of(np.arange(1, tokens.shape[1] + 1), tokens)
    return xp.max(xp.where(tokens != pad_id, places, 0), 1)
