"""Contrastive search: of the likely tokens the one that says something new, without any randomness.

Source: Su et al., "A Contrastive Framework for Neural Text Generation", 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import to_device, to_device_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.sampling import Transform
from tinygrad_llm.generate.stop import StopRule
from tinygrad_llm.generate.text import Text
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ops import linear
from tinygrad_llm.ranges import check_whole


def contrastive_scores(p_K: np.ndarray, candidates_KD: np.ndarray, context_TD: np.ndarray, alpha: float) -> np.ndarray:
    """(1 - alpha) * p - alpha * max_t cos(candidate, context_t); without a context the second part is 0.  -> (K,)

    p_K            how likely the model finds each candidate.
    candidates_KD  the state that the model would have after reading it.
    context_TD     the states of what is there already.
    """
    if not len(context_TD):
        return (1 - alpha) * p_K
    candidates = candidates_KD / np.linalg.norm(candidates_KD, axis=1, keepdims=True)
    context = context_TD / np.linalg.norm(context_TD, axis=1, keepdims=True)
    return (1 - alpha) * p_K - alpha * (candidates @ context.T).max(1)


def contrastive_search(
    model: LanguageModel,
    prompt: Sequence[int],
    count: int,
    k: int = 4,
    alpha: float = 0.6,
    *,
    transforms: Sequence[Transform] = (),
    stop_ids: Sequence[int] = (),
    stop_strings: Sequence[str] = (),
    tokenizer: Any = None,
) -> Iterator[int]:
    """At most `count` token ids after the prompt, as they are chosen.

    k           candidates: the k most likely tokens, of equals those with the smaller ids; each is read on trial.
    alpha       how much a candidate loses that says what the text has said: it is `penalty_alpha` in transformers. With
                0, and with one candidate, the search is greedy.
    transforms  change the logits before candidates are chosen; `processors` has them.

    stop_ids, stop_strings and tokenizer as `generate` takes them. A text that fills the model's block_size goes on from
    its last half, as in `generate`; what is no longer read is no longer compared with.

    Raises ArgumentError for an empty prompt, a count or k that is no whole number, or an alpha outside [0, 1].
    """
    check_whole(0, count=count)
    check_whole(k=k)
    if not 0 <= alpha <= 1:
        raise ArgumentError("alpha", "a number in [0, 1]", alpha)
    if not len(prompt):
        raise ArgumentError("prompt", "at least one token", "none", "Start with a line end: '\\n'.")
    stop = StopRule(stop_ids, stop_strings, tokenizer, 1)
    return _written(_Read(model, prompt), count, k, alpha, transforms, stop)


def _written(
    read: _Read, count: int, k: int, alpha: float, transforms: Sequence[Transform], stop: StopRule
) -> Iterator[int]:
    for _ in range(count):
        logits = read.logits()
        for transform in transforms:
            logits = transform(logits, [read.text])
        best = np.argsort(-logits[0], kind="stable")[:k]
        best = best[np.isfinite(logits[0, best])]
        if not len(best):
            raise ArgumentError("logits", "a token that may follow", "none", "Which transforms forbid all tokens?")
        weights = np.exp(logits[0] - logits[0].max())
        candidates = read.on_trial(best)
        scores = contrastive_scores(weights[best] / weights.sum(), candidates, read.states, alpha)
        token = read.take(int(scores.argmax()))
        yield token
        if stop.ends(0, token):
            return


class _Read:
    """One text, and `states`, (T, D), of what the model has read of it."""

    def __init__(self, model: LanguageModel, prompt: Sequence[int]) -> None:
        self.model, self.text = model, Text(map(int, prompt), len(prompt))
        self._read_anew(len(prompt) if model.block_size is None else model.block_size)
        self.last = self.states[-1:]

    def _read_anew(self, longest: int) -> None:
        """The last `longest` tokens go into an empty cache."""
        tokens = np.array([self.text[-longest:]]) if longest else np.empty((1, 0), np.int64)
        self.cache, self.states = self.model.new_cache(1), np.empty((0, 0))
        if longest:
            self.states = self._hidden(tokens, self.cache)[0]

    def _hidden(self, tokens: np.ndarray, cache: Any) -> np.ndarray:
        with no_grad():
            return to_device(self.model.hidden(tokens, cache=cache).data, "cpu").astype(np.float64)

    def logits(self) -> np.ndarray:
        """Of the token that follows, (1, V)."""
        weight, bias = self.model.head()
        with no_grad():
            state = to_device_of(self.last.astype(weight.dtype), weight.data)
            return to_device(linear(state, weight, bias).data, "cpu").astype(np.float64)

    def on_trial(self, candidates: np.ndarray) -> np.ndarray:
        """The state after each of the candidates, (K, D), which are read side by side."""
        longest = self.model.block_size
        if longest is not None and self.cache.longest >= longest:
            self._read_anew(longest // 2)
        self.candidates = candidates
        self.trial = self.cache.select(np.zeros(len(candidates), np.int64))
        self.found = self._hidden(candidates[:, None], self.trial)[:, 0]
        return self.found

    def take(self, place: int) -> int:
        """Goes on with one of the candidates; returns it."""
        self.cache, self.last = self.trial.select([place]), self.found[place : place + 1]
        self.states = np.concatenate([self.states.reshape(-1, self.last.shape[1]), self.last])
        self.text.append(int(self.candidates[place]))
        return self.text[-1]
