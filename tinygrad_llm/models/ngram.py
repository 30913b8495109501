"""Counting: the next token as it followed the same few tokens before. The baseline that every small model must face.

Interpolated Kneser-Ney smoothing: from every count a little is taken away, and what is saved goes to the shorter
context.
A shorter context counts a token not by how often it stood there, but in how many different longer contexts: "Francisco"
is frequent, but only after "San". Source: Kneser and Ney, "Improved backing-off for M-gram language modeling", 1995;
Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1999, section 2.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.datasets.batches import check_token_ids
from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class _Level:
    """Counts for contexts of one length: keys are sorted, one a (context, token) and one a context."""

    pairs: np.ndarray
    pair_counts: np.ndarray
    contexts: np.ndarray
    context_counts: np.ndarray
    followers: np.ndarray
    discount: float


class NGram:
    """p_n(w | c) = (max(N(c w) - D, 0) + D T(c) p_(n-1)(w | c')) / N(c), c' = c without its first token.

    N counts occurrences for the longest context, different tokens before for the shorter ones. T(c) is the number of
    different tokens that followed c. D = n1 / (n1 + 2 n2), n1 and n2 one more than the numbers of pairs with N = 1
    and 2. p_0 is uniform; where c was never seen, p_n = p_(n-1).
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        check_whole(order=order, vocab_size=vocab_size)
        if order * np.log2(vocab_size) > 63:
            raise ArgumentError(
                "order",
                f"at most {int(63 / np.log2(vocab_size))} at this vocabulary",
                order,
                "A context must fit 64 bits.",
            )
        self.order, self.vocab_size = int(order), int(vocab_size)
        self.levels: list[_Level] = []

    def fit(self, tokens: np.ndarray) -> NGram:
        """Counts contexts of 0 .. order - 1 tokens.  Raises DataError for an empty text, TokenError as below."""
        tokens = self._known(tokens)
        if not len(tokens):
            raise DataError("tokens", "at least one", 0)
        self.levels = [self._level(tokens, length) for length in range(self.order)]
        return self

    def _level(self, tokens: np.ndarray, length: int) -> _Level:
        """Contexts of `length` tokens."""
        windows = self._keys(tokens, length + 1)
        if length < self.order - 1 and len(tokens) > length + 1:
            windows = np.unique(self._keys(tokens, length + 2)) % self.vocab_size ** (length + 1)
        pairs, pair_counts = np.unique(windows, return_counts=True)
        contexts, first = np.unique(pairs // self.vocab_size, return_index=True)
        counts = np.add.reduceat(pair_counts, first) if len(first) else pair_counts
        followers = np.diff([*first, len(pairs)])
        once, twice = int((pair_counts == 1).sum()), int((pair_counts == 2).sum())
        discount = (once + 1) / (
            once + 1 + 2 * (twice + 1)
        )  # one more of each: never 0, which would forbid what is new
        return _Level(pairs, pair_counts, contexts, counts, followers, discount)

    def probabilities(self, tokens: np.ndarray) -> np.ndarray:
        """p(token | the tokens before it) for every token.  (N,) -> (N,)

        Raises TokenError for an id outside the vocabulary.
        """
        tokens = self._known(tokens)
        p = np.full(len(tokens), 1.0 / self.vocab_size)
        for length, level in enumerate(self.levels):
            pairs = self._keys(tokens, length + 1)
            seen, total = _look_up(level.contexts, level.context_counts, pairs // self.vocab_size)
            _, followers = _look_up(level.contexts, level.followers, pairs // self.vocab_size)
            _, count = _look_up(level.pairs, level.pair_counts, pairs)
            mixed = (np.maximum(count - level.discount, 0) + level.discount * followers * p[length:]) / np.maximum(
                total, 1
            )
            p[length:] = np.where(seen, mixed, p[length:])
        return p

    def cross_entropy(self, tokens: np.ndarray) -> float:
        """The mean of -ln p, in nats a token."""
        return float(-np.log(self.probabilities(tokens)).mean())

    def _known(self, tokens: np.ndarray) -> np.ndarray:
        tokens = np.asarray(tokens)
        check_token_ids(tokens, self.vocab_size)
        return tokens.astype(np.int64, copy=False)

    def _keys(self, tokens: np.ndarray, length: int) -> np.ndarray:
        """Every window of `length` tokens as one number, the oldest token its highest digit."""
        windows = max(0, len(tokens) - length + 1)
        key = np.zeros(windows, np.int64)
        for i in range(length):
            key = key * self.vocab_size + tokens[i : i + windows]
        return key


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of `wanted` are among the sorted keys, and their values, 0 for the others."""
    if not len(keys):
        return np.zeros(len(wanted), bool), np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[place] == wanted
    return found, np.where(found, values[place], 0)
