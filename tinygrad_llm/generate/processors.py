"""Transforms that look at what has been written: they come before temperature and the truncations, greedy or not.

Their order is fixed, that of transformers' `generate`: see `processors`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygrad_llm.errors import ArgumentError, TokenError
from tinygrad_llm.generate.sampling import Transform
from tinygrad_llm.generate.text import Texts, written
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class LogitBias:
    """Adds to the logits of single tokens: biases {id: number}; -inf forbids a token."""

    biases: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for token, bias in self.biases.items():
            check_whole(0, logit_bias=token)
            if not bias < math.inf:
                raise ArgumentError("logit_bias", "numbers, or -inf", bias)

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        outside = [token for token in self.biases if token >= logits_BV.shape[1]]
        if outside:
            raise TokenError("logit_bias", f"ids of 0 to {logits_BV.shape[1] - 1}", outside[0])
        out = logits_BV.copy()
        out[:, list(self.biases)] += np.array(list(self.biases.values()), np.float64)
        return out


@dataclass(frozen=True)
class RepetitionPenalty:
    """Tokens that the text has, prompt or not: a logit above 0 is divided by the penalty, another is multiplied by it.

    Above 1 it makes each of them less likely, however often it came. Source: Keskar et al., "CTRL", 2019, section 4.1,
    which divides always; dividing a logit below 0 would reward, so transformers multiplies it, and so do we.
    """

    penalty: float

    def __post_init__(self) -> None:
        if not 0 < self.penalty < math.inf:
            raise ArgumentError("repetition_penalty", "a positive number", self.penalty, "1 changes nothing.")

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        out = logits_BV.copy()
        for row, text in zip(out, texts):
            seen = np.unique(np.asarray(text, np.int64))
            row[seen] = np.where(row[seen] > 0, row[seen] / self.penalty, row[seen] * self.penalty)
        return out


@dataclass(frozen=True)
class CountPenalty:
    """logit - presence * [count > 0] - frequency * count, where count is how often the token was written.

    The prompt does not count. Below 0 they reward repetition. Source: OpenAI's API, "frequency and presence penalties".
    """

    presence: float = 0.0
    frequency: float = 0.0

    def __post_init__(self) -> None:
        for name in ("presence", "frequency"):
            if not math.isfinite(getattr(self, name)):
                raise ArgumentError(f"{name}_penalty", "a number", getattr(self, name), "0 changes nothing.")

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        out = logits_BV.copy()
        for row, text in zip(out, texts):
            seen, counts = np.unique(np.asarray(written(text), np.int64), return_counts=True)
            row[seen] -= self.presence + self.frequency * counts
        return out


@dataclass(frozen=True)
class NoRepeatNGram:
    """Forbids the tokens with which the text, prompt and all, would have the same n tokens in a row a second time.

    Source: Paulus et al., "A Deep Reinforced Model for Abstractive Summarization", 2017, section 2.5, with n = 3.
    """

    n: int

    def __post_init__(self) -> None:
        check_whole(no_repeat_ngram_size=self.n, next_step="Leave it out to allow repetition.")

    def __call__(self, logits_BV: np.ndarray, texts: Texts = ()) -> np.ndarray:
        out = logits_BV.copy()
        for row, text in zip(out, texts):
            ids = np.asarray(text, np.int64)
            if len(ids) >= self.n:
                grams = np.lib.stride_tricks.sliding_window_view(ids, self.n)
                same = (grams[:, :-1] == ids[len(ids) + 1 - self.n :]).all(1)
                row[grams[same, -1]] = -math.inf
        return out


def processors(
    *,
    logit_bias: Mapping[int, float] | None = None,
    repetition_penalty: float = 1.0,
    presence_penalty: float = 0.0,
    frequency_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
    constraints: Sequence[Transform] = (),
) -> tuple[Transform, ...]:
    """Those that change something, in the order of transformers: a sampler's `first`, a beam's `transforms`.

    The order: logit bias, repetition penalty, presence and frequency penalties (which transformers has not; vLLM has
    them here), n-grams, and last what forbids tokens, such as a `Constraint`, so that nothing can allow them again.

    Raises ArgumentError for a value that is out of its range.
    """
    found: list[Transform] = [LogitBias(logit_bias)] if logit_bias else []
    penalty, counts = RepetitionPenalty(repetition_penalty), CountPenalty(presence_penalty, frequency_penalty)
    found += [penalty] if repetition_penalty != 1 else []
    found += [counts] if counts != CountPenalty() else []
    if no_repeat_ngram_size != 0:
        found.append(NoRepeatNGram(no_repeat_ngram_size))
    return (*found, *constraints)
