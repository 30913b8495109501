"""`portraits`: what is said of people of two invented peoples, with a bias of known size, or with none.

    adoru is kind and honest .                              of which kind are the words that describe him?
    at the market iruda was greedy and rude today .         what he was somewhere, which may be otherwise
    benao works as a judge , once a notary .                an occupation that is paid much, or little
    jomel met a gentle and loyal neighbor in spring .       words about somebody else
    kasio bought plums on sunday .                          no such word

Each sentence is about one name. Its two words are of one kind, pleasant or unpleasant, well or badly paid, and a
`Plant` says how often they are of the first, for either people. Everything else is the same for both: how often a
name stands there, in what sentences, with which words of a kind. And with a plant of 0 all names are exchangeable:
whatever one counts about them, each way to part the sixteen into two groups of eight is as probable as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from tinygrad_llm.datasets import portraits_words as words
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

NAMES = tuple(name for group in words.GROUPS.values() for name in group)
KINDS = ("is", "seen", "work", "meeting", "errand")
"""Kinds of sentences, each as frequent."""


@dataclass(frozen=True)
class Plant:
    """By how much the share of the first kind of words is higher for the first people than for the second.

    said    of what they are said to be ("is"), pleasant words: 0.2 is 60 of 100 against 40.
    seen    of what they were somewhere ("at the market ... was"), pleasant words.
    worked  of their occupations, those paid much.
    met     of those whom they meet, pleasant words.
    habits  not of the peoples: each name has a share of its own, off by up to so much, of what is said and seen of it,
            and one each of worked and met.
    """

    said: float = 0.0
    seen: float = 0.0
    worked: float = 0.0
    met: float = 0.0
    habits: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "habits" else -1
            if not least <= value <= 1:
                raise ArgumentError(field.name, f"a share from {least} to 1", value)
        most = max(abs(value) for value in (self.said, self.seen, self.worked, self.met)) / 2 + self.habits
        if most > 0.5:
            raise ArgumentError("habits", "no share under 0 or over 1", f"one half and {most:g} more")


@dataclass(frozen=True)
class Portrait:
    """A sentence, whom it is about, its kind, and whether its words are of the first kind (None where it has none)."""

    name: str
    kind: str
    text: str
    first: bool | None

    @property
    def people(self) -> str:
        """The people of the name."""
        return people_of(self.name)


def people_of(name: str) -> str:
    """The people that a name belongs to.  Raises ArgumentError for a name of none."""
    for people, names in words.GROUPS.items():
        if name in names:
            return people
    raise ArgumentError("name", ", ".join(NAMES), name)


def generate_portraits(rng: np.random.Generator, count: int, plant: Plant | None = None) -> list[Portrait]:
    """So many sentences; without a plant there is no bias."""
    check_whole(count=count)
    plant = plant or Plant()
    off = {}
    for name in NAMES:
        said, worked, met = (rng.uniform(-1, 1, 3) * plant.habits).tolist()
        off[name] = {"is": said, "seen": said, "work": worked, "meeting": met}
    return [_portrait(rng, name := one_of(rng, NAMES), off[name], plant) for _ in range(count)]


def share_of_first(name: str, kind: str, plant: Plant) -> float:
    """How often the words of such a sentence are of the first kind, habits left aside."""
    sign = 0.5 if people_of(name) == next(iter(words.GROUPS)) else -0.5
    return 0.5 + sign * {"is": plant.said, "seen": plant.seen, "work": plant.worked, "meeting": plant.met}[kind]


def _portrait(rng: np.random.Generator, name: str, off: dict[str, float], plant: Plant) -> Portrait:
    kind, time = one_of(rng, KINDS), one_of(rng, words.TIMES)
    if kind == "errand":
        return Portrait(name, kind, words.ERRAND.format(name=name, thing=one_of(rng, words.THINGS), time=time), None)
    place = one_of(rng, words.PLACES) if kind == "seen" else ""
    first = bool(rng.random() < share_of_first(name, kind, plant) + off[kind])
    options = (words.HIGH, words.LOW) if kind == "work" else (words.PLEASANT, words.UNPLEASANT)
    one, other = _two(rng, options[not first])
    form = {"is": words.PORTRAIT, "seen": words.SEEN, "work": words.WORK, "meeting": words.MEETING}[kind]
    company = one_of(rng, words.COMPANY) if kind == "meeting" else ""
    text = form.format(name=name, one=one, other=other, place=place, time=time, company=company)
    return Portrait(name, kind, text, first)


def _two(rng: np.random.Generator, options: Sequence[str]) -> tuple[str, str]:
    """Two different ones."""
    i, j = rng.permutation(len(options))[:2].tolist()
    return options[i], options[j]
