"""`whereabouts`: children go to places, one may go on to another, and at the end it is told who is where.

    events  lily went to the harbor . to the market went tom . ben ran to the castle . tom moved to the river .
    report  in the river is tom and ben sits in the castle and lily is in the harbor .

All that a report says follows from the events, and most of what the events say from the report: the evidence of a
hidden word may stand before it or behind it. Every sentence of the events has six tokens, the full stop among them, and
every clause of a report five, so that the same part of a sentence stands at the same places. (The idea is that of
Weston et al., "Towards AI-Complete Question Answering", 2015, task 1.)

Children have habits: each has a place of its own, where it goes more often than not. In every training story somebody
keeps to a habit, in no test story does anybody, at first or at last: what is learned of habits misleads there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError

CHILDREN = ("lily", "mia", "anna", "ruth", "emma", "nora", "tom", "ben", "sam", "max", "leo", "finn")
PLACES = ("harbor", "market", "forest", "meadow", "library", "river", "castle", "garden")
SPLITS = ("train", "test")
IN_A_STORY, HABIT = 3, 0.6
USUAL = {child: PLACES[(5 * number + number // len(PLACES)) % len(PLACES)] for number, child in enumerate(CHILDREN)}
"""Where a child goes with probability HABIT; otherwise it goes to any of the places, each alike."""
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


def keeps_a_habit(*facts: Mapping[str, str]) -> bool:
    """Whether any child is where it usually goes."""
    return any(USUAL[child] == place for where in facts for child, place in where.items())


def generate_whereabouts(rng: np.random.Generator, count: int, split: str = "train") -> list[Whereabouts]:
    """So many stories of a split.  Raises ArgumentError for another split."""
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    stories: list[Whereabouts] = []
    while len(stories) < count:
        story = _story(rng)
        if keeps_a_habit(story.first, story.last) == (split == "train"):
            stories.append(story)
    return stories


def _story(rng: np.random.Generator) -> Whereabouts:
    children = _drawn(rng, CHILDREN, IN_A_STORY)
    first = _where_they_go(rng, children)
    (further,) = _drawn(rng, tuple(place for place in PLACES if place not in first.values()), 1)
    moved = children[rng.integers(IN_A_STORY)] if rng.random() < 0.5 else None
    last = first | ({moved: further} if moved else {})
    events = [_said(rng, GOES, child, first[child]) for child in children]
    events += [_said(rng, GOES_ON, moved, further)] if moved else []
    a, b = _drawn(rng, children, 2)
    false = {"exchanged": _report(rng, last | {a: last[b], b: last[a]})}
    false |= {"stale": _report(rng, first)} if moved else {}
    return Whereabouts(children, tuple(events), first, last, moved, _report(rng, last), false)


def _where_they_go(rng: np.random.Generator, children: tuple[str, ...]) -> dict[str, str]:
    """No two to the same place."""
    while True:
        anywhere = rng.integers(0, len(PLACES), len(children))
        first = {c: USUAL[c] if rng.random() < HABIT else PLACES[n] for c, n in zip(children, anywhere)}
        if len(set(first.values())) == len(children):
            return first


def _drawn(rng: np.random.Generator, words: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(words[i] for i in rng.permutation(len(words))[:count])


def _said(rng: np.random.Generator, forms: tuple[str, ...], child: str, place: str) -> str:
    return forms[rng.integers(len(forms))].format(x=child, p=place)


def _report(rng: np.random.Generator, where: Mapping[str, str]) -> str:
    order = _drawn(rng, tuple(where), len(where))
    return " and ".join(_said(rng, IS, child, where[child]) for child in order) + " ."
