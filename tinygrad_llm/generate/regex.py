"""Regular expressions as finite automata over bytes, built by hand: what a token may be is then a walk along its bytes.

Thompson's construction makes an automaton with choices of an expression, the subset construction one without. Sources:
Thompson, "Regular Expression Search Algorithm", 1968; Rabin & Scott, "Finite Automata and Their Decision Problems",
1959; characters as ranges of UTF-8 bytes: Cox, "Regular Expression Matching in the Wild", 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.regex_syntax import Chars, Choice, Node, Repeat, Sequence, parse

DEAD, START = 0, 1
MOST_STATES = 20_000


@dataclass(frozen=True)
class Automaton:
    """table      (S, 256) integers: the state that each byte leads to. 0 is dead, 1 is the start.
    accepting  (S,) booleans: whether the bytes up to here are a whole text.
    """

    table: np.ndarray
    accepting: np.ndarray

    def after(self, data: bytes, state: int = START) -> int:
        """The state that these bytes lead to."""
        for byte in data:
            state = int(self.table[state, byte])
        return state

    def matches(self, text: str) -> bool:
        """Whether the whole text is one that the expression describes."""
        return bool(self.accepting[self.after(text.encode())])


def compiled(pattern: str) -> Automaton:
    """The automaton of the texts that `pattern` matches as a whole; the syntax is `regex_syntax`'s.

    Raises ArgumentError for what is no such expression, or one of more than 20,000 states.
    """
    choices = _Choices()
    start, end = choices.new(), choices.new()
    choices.add(parse(pattern), start, end)
    return _without_choices(choices, start, end, pattern)


class _Choices:
    """An automaton with choices: from each state any number of free steps, and of steps over a range of bytes."""

    def __init__(self) -> None:
        self.free: list[list[int]] = []
        self.steps: list[list[tuple[int, int, int]]] = []  # (first byte, last byte, state)

    def new(self) -> int:
        """One more state."""
        self.free.append([])
        self.steps.append([])
        return len(self.free) - 1

    def add(self, node: Node, start: int, end: int) -> None:
        """Ways from `start` to `end` that read what the node describes."""
        match node:
            case Chars(ranges):
                for low, high in ranges:
                    for byte_ranges in utf8_ranges(low, high):
                        self._path(byte_ranges, start, end)
            case Sequence(parts):
                for part in parts:
                    between = self.new()
                    self.add(part, start, between)
                    start = between
                self.free[start].append(end)
            case Choice(parts):
                for part in parts:
                    self.add(part, start, end)
            case Repeat(part, least, most):
                self._repeat(part, least, most, start, end)

    def _path(self, byte_ranges: list[tuple[int, int]], start: int, end: int) -> None:
        for low, high in byte_ranges[:-1]:
            between = self.new()
            self.steps[start].append((low, high, between))
            start = between
        self.steps[start].append((*byte_ranges[-1], end))

    def _repeat(self, part: Node, least: int, most: int | None, start: int, end: int) -> None:
        for _ in range(least):
            between = self.new()
            self.add(part, start, between)
            start = between
        if most is None:  # a loop of its own, so that nothing else can come back into it
            loop = self.new()
            self.free[start].append(loop)
            self.add(part, loop, loop)
            self.free[loop].append(end)
            return
        self.free[start].append(end)
        for _ in range(most - least):
            between = self.new()
            self.add(part, start, between)
            self.free[between].append(end)
            start = between

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """These states and all that free steps reach from them."""
        seen, open_states = set(states), list(states)
        while open_states:
            for state in self.free[open_states.pop()]:
                if state not in seen:
                    seen.add(state)
                    open_states.append(state)
        return frozenset(seen)


def _without_choices(choices: _Choices, start: int, end: int, pattern: str) -> Automaton:
    """Its states are sets of states of the other: all that could be meant so far."""
    first = choices.closure(frozenset([start]))
    numbers, sets = {frozenset[int](): DEAD, first: START}, [frozenset[int](), first]
    rows = [np.zeros(256, np.int32)]
    while len(rows) < len(sets):
        row = np.zeros(256, np.int32)
        steps = [step for state in sets[len(rows)] for step in choices.steps[state]]
        borders = sorted({low for low, _, _ in steps} | {high + 1 for _, high, _ in steps})
        for low, high in zip(borders, borders[1:]):
            reached = frozenset(state for a, b, state in steps if a <= low <= b)
            following = choices.closure(reached)
            if following not in numbers:
                numbers[following] = len(sets)
                sets.append(following)
            row[low:high] = numbers[following]
        rows.append(row)
        if len(sets) > MOST_STATES:
            next_step = "Bound its repetitions by less."
            raise ArgumentError("regex", f"an expression of at most {MOST_STATES} states", repr(pattern), next_step)
    return Automaton(np.array(rows), np.array([end in states for states in sets]))


def utf8_ranges(low: int, high: int) -> list[list[tuple[int, int]]]:
    """The characters low to high as sequences of ranges of bytes; surrogates, which UTF-8 has not, are left out."""
    found = []
    for first, last in ((0, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)):
        a, b = max(low, first), min(high, last)
        if a <= b:
            found += _between(chr(a).encode(), chr(b).encode())
    return found


def _between(a: bytes, b: bytes) -> list[list[tuple[int, int]]]:
    """Sequences of as many bytes, from a to b in their order, where all bytes but the first are 0x80 to 0xBF."""
    if len(a) == 1:
        return [[(a[0], b[0])]]
    least, most = b"\x80" * (len(a) - 1), b"\xbf" * (len(a) - 1)
    if a[0] == b[0]:
        return [[(a[0], a[0]), *rest] for rest in _between(a[1:], b[1:])]
    low, high, before, after = a[0], b[0], [], []
    if a[1:] != least:
        before, low = [[(low, low), *rest] for rest in _between(a[1:], most)], low + 1
    if b[1:] != most:
        after, high = [[(high, high), *rest] for rest in _between(least, b[1:])], high - 1
    middle = [[(low, high), *[(0x80, 0xBF)] * (len(a) - 1)]] if low <= high else []
    return before + middle + after
