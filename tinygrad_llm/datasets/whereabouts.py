"""`whereabouts`: children go to places, one may go on to another, and at the end it is told who is where.

    events  lily went to the harbor . to the market went tom . ben ran to the castle . tom moved to the river .
    report  in the river is tom and ben sits in the castle and lily is in the harbor .

All that a report says follows from the events, and most of what the events say from the report: the evidence of a
hidden word may stand before it or behind it. Every sentence of the events has six tokens, the full stop among them, and
every clause of a report five, so that the same part of a sentence stands at the same places. (The idea is that of
Weston et al., "Towards AI-Complete Question Answering", 2015, task 1.)

Splits hold out combinations of two facts: where two children go, if they do so together in a test story, they never do
in a training story. No child is kept from a place, or a network would learn that, and rightly so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tinygrad_llm.errors import ArgumentError

CHILDREN = ("lily", "mia", "anna", "ruth", "emma", "nora", "tom", "ben", "sam", "max", "leo", "finn")
PLACES = ("harbor", "market", "forest", "meadow", "library", "river", "castle", "garden")
SPLITS = ("train", "test")
IN_A_STORY = 3
GOES = ("{x} went to the {p} .", "{x} ran to the {p} .", "{x} sailed to the {p} .", "to the {p} went {x} .")
GOES_ON = ("{x} moved to the {p} .", "{x} left for the {p} .", "to the {p} moved {x} .")
IS = ("{x} is in the {p}", "in the {p} is {x}", "in the {p} sits {x}", "{x} sits in the {p}")


@dataclass(frozen=True)
class Whereabouts:
    """A story: who goes where, and where everybody is at the end.

    children  in the order in which they go.
    events    the sentences, of the one who goes on last; joined by spaces they are the text.
    first     child -> the place that it goes to; `last`, where it is at the end.
    moved     the child that goes on, if any does.
    report    who is where at the end; the order is drawn.
    false     reports in the same words that are not true: "exchanged", two children stand in each other's place;
              "stale", where all were before somebody went on; only where somebody does.
    """

    children: tuple[str, ...]
    events: tuple[str, ...]
    first: Mapping[str, str]
    last: Mapping[str, str]
    moved: str | None
    report: str
    false: Mapping[str, str]


def held_out(first: Mapping[str, str]) -> bool:
    """Whether a story in which children go to these places belongs to test: one in eight of all pairs of facts does."""
    numbers = [CHILDREN.index(child) + PLACES.index(place) for child, place in first.items()]
    return any((a + b) % len(PLACES) == 0 for a, b in combinations(numbers, 2))


def generate_whereabouts(rng: np.random.Generator, count: int, split: str = "train") -> list[Whereabouts]:
    """So many stories of a split.  Raises ArgumentError for another split."""
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    stories: list[Whereabouts] = []
    while len(stories) < count:
        story = _story(rng)
        if held_out(story.first) == (split == "test"):
            stories.append(story)
    return stories


def _story(rng: np.random.Generator) -> Whereabouts:
    children = _drawn(rng, CHILDREN, IN_A_STORY)
    *places, further = _drawn(rng, PLACES, IN_A_STORY + 1)
    first = dict(zip(children, places))
    moved = children[rng.integers(IN_A_STORY)] if rng.random() < 0.5 else None
    last = first | ({moved: further} if moved else {})
    events = [_said(rng, GOES, child, first[child]) for child in children]
    events += [_said(rng, GOES_ON, moved, further)] if moved else []
    a, b = _drawn(rng, children, 2)
    false = {"exchanged": _report(rng, last | {a: last[b], b: last[a]})}
    false |= {"stale": _report(rng, first)} if moved else {}
    return Whereabouts(children, tuple(events), first, last, moved, _report(rng, last), false)


def _drawn(rng: np.random.Generator, words: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(words[i] for i in rng.permutation(len(words))[:count])


def _said(rng: np.random.Generator, forms: tuple[str, ...], child: str, place: str) -> str:
    return forms[rng.integers(len(forms))].format(x=child, p=place)


def _report(rng: np.random.Generator, where: Mapping[str, str]) -> str:
    order = _drawn(rng, tuple(where), len(where))
    return " and ".join(_said(rng, IS, child, where[child]) for child in order) + " ."
