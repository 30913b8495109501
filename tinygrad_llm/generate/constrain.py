"""Texts that must match a regular expression: tokens with which they no longer could are forbidden.

Source: Willard & Louf, "Efficient Guided Generation for Large Language Models", 2023: an automaton over characters
becomes one over the vocabulary, since each token leads from a state to another along its bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.regex import DEAD, START, Automaton, compiled
from tinygrad_llm.generate.text import Texts, written
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.special import special_of

BEGIN, ENDED = -1, -2
"""Before the first token, whose bytes can be others than later; and after the token that ends a text."""


class Constraint:
    """A transform that allows only tokens with which what is written can still become a text that `regex` matches.

    regex      an expression, see `regex_syntax`, or an automaton; the prompt is no part of what it describes.
    tokenizer  whose tokens are written. Special tokens are no text: they are never allowed, the end token apart.
    end        the token that ends a text: allowed where the text matches, and after itself. Without one, what is
               written is the beginning of a text that matches, and may come to where nothing follows: see `complete`.
    begun      whether there is a prompt that is a text: then the first token keeps the space before its word.

    No text runs into a dead end: what can no longer be finished by tokens of this vocabulary is forbidden at once.
    Raises ArgumentError for what is no expression, or one that no text of these tokens matches.
    """

    def __init__(
        self, regex: str | Automaton, tokenizer: Tokenizer, end: int | None = None, begun: bool = True
    ) -> None:
        if end is not None:
            check_whole(0, end=end)
        self.automaton = regex if isinstance(regex, Automaton) else compiled(regex)
        self.end, self.size = end, tokenizer.vocab_size
        special = {*special_of(tokenizer).values(), end}
        ids = range(self.size)
        later = [b"" if token in special else tokenizer.token_bytes(token) for token in ids]
        first = [b"" if token in special else tokenizer.first_bytes(token) for token in ids]
        self.after = self._explored(later if begun else first, later)
        self._forbid_dead_ends(repr(regex) if isinstance(regex, str) else "an automaton")

    def __call__(self, logits_BV: np.ndarray, texts: Texts) -> np.ndarray:
        out = np.full_like(logits_BV, -math.inf)
        for row, logits, text in zip(out, logits_BV, texts):
            allowed = self.allowed(written(text))
            if not len(allowed):
                next_step = "Stop there, as `complete` says, or give the token that ends a text."
                raise ArgumentError("regex", "a text that can go on", "one that is complete", next_step)
            row[allowed] = logits[allowed]
        return out

    def allowed(self, ids: Sequence[int]) -> np.ndarray:
        """The tokens that may follow what is written."""
        state = self.state(ids)
        following = np.flatnonzero(self.after[state]) if state != ENDED else np.empty(0, np.int64)
        return np.append(following, self.end) if self.end is not None and self._matches(state) else following

    def matches(self, ids: Sequence[int]) -> bool:
        """Whether what is written, as it is, matches."""
        return self._matches(self.state(ids))

    def complete(self, ids: Sequence[int]) -> bool:
        """Whether what is written matches and nothing but an end can follow."""
        state = self.state(ids)
        return state == ENDED or (self._matches(state) and not self.after[state].any())

    def state(self, ids: Sequence[int]) -> int:
        """Where these tokens lead; ArgumentError for tokens that are not allowed."""
        state = BEGIN
        for token in ids:
            if token == self.end and self._matches(state):
                state = ENDED
                continue
            state = int(self.after[state][token]) if state != ENDED and token < self.size else DEAD
            if state == DEAD:
                raise ArgumentError("regex", "a text that can still match", f"token {token} in {list(ids)[:20]}")
        return state

    def _matches(self, state: int) -> bool:
        return state == ENDED or bool(self.automaton.accepting[START if state == BEGIN else state])

    def _explored(self, first: Sequence[bytes], later: Sequence[bytes]) -> dict[int, np.ndarray]:
        """The states after each token, (V,), from every state that tokens lead to."""
        table = self.automaton.table
        walk, found = _Walk(later), {BEGIN: _Walk(first)(table, START)}
        open_states = [BEGIN]
        while open_states:
            for state in np.unique(found[open_states.pop()]).tolist():
                if state != DEAD and state not in found:
                    found[state] = walk(table, state)
                    open_states.append(state)
        return found

    def _forbid_dead_ends(self, shown: str) -> None:
        """Tokens that lead to where no tokens lead to an accepting state lead to DEAD."""
        before: dict[int, list[int]] = {}
        for state, after_V in self.after.items():
            for following in np.unique(after_V).tolist():
                before.setdefault(following, []).append(state)
        alive = {state for state in self.after if self._matches(state)}
        open_states = list(alive)
        while open_states:
            new = set(before.get(open_states.pop(), ())) - alive
            alive |= new
            open_states += new
        if BEGIN not in alive:
            raise ArgumentError("regex", "an expression that texts of this vocabulary match", shown)
        lives = np.zeros(len(self.automaton.table), bool)
        lives[[state for state in alive if state >= 0]] = True
        self.after = {state: np.where(lives[after_V], after_V, DEAD) for state, after_V in self.after.items()}


class _Walk:
    """All tokens' bytes side by side, so that they go through an automaton together; a token of none leads nowhere."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.order = sorted(range(len(pieces)), key=lambda token: -len(pieces[token]))
        self.lengths = np.array([len(pieces[token]) for token in self.order])
        self.columns = [
            np.array([pieces[token][i] for token in self.order[: np.count_nonzero(self.lengths > i)]])
            for i in range(int(self.lengths.max(initial=0)))
        ]

    def __call__(self, table: np.ndarray, state: int) -> np.ndarray:
        """The states that each token leads to from this one, (V,)."""
        states = np.full(len(self.order), state, np.int32)
        for column in self.columns:
            states[: len(column)] = table[states[: len(column)], column]
        states[self.lengths == 0] = DEAD
        out = np.empty_like(states)
        out[self.order] = states
        return out
