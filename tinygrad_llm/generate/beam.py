"""Beam search: several beginnings are kept, not one, since the best first word need not begin the best sentence.

Greedy is a beam of width 1; a beam that drops nothing is the search through all sentences. Source: Sutskever et al.,
"Sequence to Sequence Learning with Neural Networks", 2014, section 3.2; the rules are those of transformers'
`generate(num_beams=...)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.backend import blas_threads, to_device
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.generate.sampling import Transform
from tinygrad_llm.generate.text import Text
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ops import log_softmax
from tinygrad_llm.ranges import check_whole

LogProbabilities = Callable[[np.ndarray], np.ndarray]
"""From prefixes (N, T) to ln p of each next token (N, V)."""


class Prefixes:
    """Beginnings as whole texts, for any function that tells the next token's distribution."""

    def __init__(self, log_probabilities: LogProbabilities, start: Sequence[int]) -> None:
        self.of, self.texts, self.start = log_probabilities, np.array([list(start)]), len(start)

    def log_probs(self) -> np.ndarray:
        """ln p of each next token, (N, V)."""
        return self.of(self.texts)

    def so_far(self) -> list[Text]:
        """The beginnings, as transforms take them."""
        return [Text(text, self.start) for text in self.texts.tolist()]

    def extend(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Goes on with these beginnings, one token longer each."""
        self.texts = np.concatenate([self.texts[rows], tokens[:, None]], axis=1)


class CachedPrefixes:
    """The same for a language model: only the last token of each beginning is read, the rest is in its cache."""

    def __init__(self, model: LanguageModel, start: Sequence[int]) -> None:
        self.reader = Reader(model, [start])

    def log_probs(self) -> np.ndarray:
        """ln p of each next token, (N, V)."""
        logits = to_device(self.reader.logits, "cpu").astype(np.float64)
        return log_softmax.array(logits)[0]

    def so_far(self) -> list[Text]:
        """The beginnings, as transforms take them."""
        return self.reader.texts

    def extend(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Goes on with these beginnings, one token longer each."""
        self.reader.keep(rows)
        self.reader.note(tokens)
        self.reader.feed(to_device(tokens, self.reader.model.device))


@dataclass(frozen=True)
class Hypothesis:
    """tokens           what was written after the start, the end token included where it came.
    log_probability  the sum of ln p over them.
    score            log_probability / length^power: what hypotheses are ranked by. Where transforms or the diversity
                     penalty change ln p, it is the changed sum that is divided.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def best_extensions(total_N: np.ndarray, logp_NV: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `width` most probable ways to make one of N prefixes one token longer.  (N,), (N, V) -> three times (W,)

    Of each: which prefix, which token, and the new sum of ln p. The most probable comes first; of equals the earlier
    prefix, then the smaller token. What has no probability at all is no way: W may be smaller than `width`.
    """
    sums = total_N[:, None] + logp_NV
    flat = sums.reshape(-1)
    best = np.argsort(-flat, kind="stable")[:width]
    best = best[flat[best] > -math.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], flat[best]


@dataclass(frozen=True)
class Rules:
    """What a search is told, checked: see beam_search."""

    end: int
    width: int
    max_length: int
    length_power: float
    early_stopping: bool | str
    groups: int = 1
    diversity: float = 0.0

    def __post_init__(self) -> None:
        check_whole(width=self.width, max_length=self.max_length, groups=self.groups)
        check_whole(0, end=self.end)
        if not self.length_power >= 0:
            raise ArgumentError("length_power", "at least 0", self.length_power)
        if not isinstance(self.early_stopping, bool) and self.early_stopping != "never":
            raise ArgumentError("early_stopping", "True, False or 'never'", repr(self.early_stopping))
        if self.width % self.groups:
            raise ArgumentError("groups", f"a divisor of width = {self.width}", self.groups)
        if not 0 <= self.diversity < math.inf or (self.groups == 1 and self.diversity):
            wanted = "a number of at least 0" + (", and groups to differ" if self.groups == 1 else "")
            raise ArgumentError("diversity", wanted, self.diversity, "Set groups to 2 or more.")

    @property
    def each(self) -> int:
        """The width of a group."""
        return self.width // self.groups

    def score(self, total: float, length: int) -> float:
        """ln p / length^power."""
        return total / length**self.length_power

    def over(self, pool: Sequence[Hypothesis], best_total: float, length: int) -> bool:
        """Whether the pool is what is found, given the most probable of the beginnings that are still open."""
        if best_total == -math.inf:  # none is open
            return True
        if len(pool) < self.each or self.early_stopping is True:
            return len(pool) == self.each
        # ln p can only fall, and the longest length divides it by most
        longest = self.max_length if self.early_stopping == "never" else length
        return self.score(best_total, longest) <= pool[-1].score


class Group:
    """One beam: its open beginnings, the best first, and the pool of its finished hypotheses."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.pool = rules, list[Hypothesis]()
        self.written, self.totals, self.log_p = np.empty((1, 0), np.int64), np.zeros(1), np.zeros(1)
        self.last = np.empty(0, np.int64)
        """Tokens that its beginnings got in the last step, whether or not it was over with them."""

    def step(self, logp_NV: np.ndarray, ranked_NV: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Makes its beginnings one token longer -> which of them go on, with which tokens; none when it is over.

        logp_NV    ln p of each next token.
        ranked_NV  the same, as transforms and other groups have changed it.
        """
        rules = self.rules
        width, end, max_length = rules.each, rules.end, rules.max_length
        rows, tokens, totals = best_extensions(self.totals, ranked_NV, 2 * width)
        written = np.concatenate([self.written[rows], tokens[:, None]], axis=1)
        log_p = self.log_p[rows] + logp_NV[rows, tokens]
        found = np.flatnonzero(tokens[:width] == end) if length < max_length else range(min(width, len(tokens)))
        for i in found:
            score = rules.score(float(totals[i]), length)
            self.pool.append(Hypothesis(tuple(map(int, written[i])), float(log_p[i]), score))
        self.pool = sorted(self.pool, key=lambda h: -h.score)[:width]
        kept = np.flatnonzero(tokens != end)[:width]
        self.last = tokens[kept]
        if length == max_length or rules.over(self.pool, totals[kept].max(initial=-math.inf), length):
            kept = kept[:0]
        self.written, self.totals, self.log_p = written[kept], totals[kept], log_p[kept]
        return rows[kept], tokens[kept]


@blas_threads()
def beam_search(
    model: LanguageModel | LogProbabilities,
    start: Sequence[int],
    end: int,
    width: int,
    max_length: int,
    length_power: float = 0.0,
    early_stopping: bool | str = False,
    *,
    groups: int = 1,
    diversity: float = 0.0,
    transforms: Sequence[Transform] = (),
) -> list[Hypothesis]:
    """The best hypotheses that a beam finds, at most `width`, the best first.

    model         a language model, which reads with a cache; or a function from prefixes (N, T) to ln p (N, V).
    start         what every prefix begins with; it is no part of an answer.
    end           the token that ends a hypothesis. What has not ended after max_length tokens is taken as it is.
    length_power  divides ln p by length^power. Each word costs probability, so with 0 short ones win; with 1 the mean
                  over words counts. In transformers it is called length_penalty.
    early_stopping  when to stop, once `width` hypotheses are found. True: at once. False: when the most probable open
                  beginning, ended where it is, would not be among them. "never": when no beginning could come among
                  them at any length; only then nothing is missed where length_power is above 0. With 0, False and
                  "never" are the same.
    groups        beams of width / groups each, searched side by side; the answer is all they find.
    diversity     what a token costs a group, in nats, for each time that an earlier group has gone on with it in this
                  step. Without it all groups find the same. Source: Vijayakumar et al., "Diverse Beam Search", 2016,
                  with the Hamming distance.
    transforms    change ln p before extensions are ranked, as those of a sampler; `processors` has them. They come
                  after the diversity. Where one raises ln p, stopping early can miss what would have won.

    A step ranks the 2 * width most probable extensions. Of the first `width`, those that end go into the pool of
    finished hypotheses, of which the `width` with the highest scores are kept. The first `width` of all that do not end
    are the beam of the next step: one that ends leaves its place to the next at once, and 2 * width are always enough,
    since each of `width` beginnings can end in one way only. An end behind the first `width` is dropped.

    Raises ArgumentError for a width or a length that is no whole number of at least 1, an end that is no token, a
    negative power, another early_stopping, groups that do not divide the width, or a diversity without groups.
    """
    rules = Rules(end, width, max_length, length_power, early_stopping, groups, diversity)
    if not len(start):
        raise ArgumentError("start", "at least one token", "none")
    cached = isinstance(model, LanguageModel)
    prefixes: Any = (CachedPrefixes if cached else Prefixes)(model, start)  # type: ignore[arg-type]
    searched = [Group(rules) for _ in range(groups)]
    places, count = [slice(0, 1)] * groups, 1  # the rows of each group; all begin with the one start
    for length in range(1, max_length + 1):
        logp = _checked(prefixes.log_probs(), count)
        texts, taken = prefixes.so_far() if transforms else (), np.zeros(logp.shape[1])
        rows, tokens = [], []
        for group, place in zip(searched, places):
            ranked = logp[place] - diversity * taken if diversity else logp[place]
            for transform in transforms:
                ranked = transform(ranked, texts[place])
            kept, chosen = group.step(logp[place], ranked, length)
            taken += np.bincount(group.last, minlength=len(taken))
            rows.append(place.start + kept)
            tokens.append(chosen)
        ends = np.cumsum([len(chosen) for chosen in tokens]).tolist()
        places, count = [slice(begin, end) for begin, end in zip([0, *ends], ends)], ends[-1]
        if not count:
            break
        prefixes.extend(np.concatenate(rows), np.concatenate(tokens))
    return sorted((h for group in searched for h in group.pool), key=lambda h: -h.score)


def _checked(logp: np.ndarray, count: int) -> np.ndarray:
    """(N, V) logarithms of probabilities, in float64."""
    logp = np.asarray(logp, np.float64)
    if logp.ndim != 2 or len(logp) != count:
        raise ShapeError("log_probabilities", f"(N, V) with N = {count}, a row a prefix", logp.shape)
    if not (logp <= 1e-6).all():
        raise ArgumentError("log_probabilities", "logarithms, none above 0", logp.max(), "Did it return logits?")
    return logp
