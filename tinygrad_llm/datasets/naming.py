"""`naming`: pages that give each kind of word a made-up name, and name words by it.

    hammer zop . owl dax . otter dax . plum wug . saw zop . bread wug . coat fep . fox dax .

Every page has names of its own. So which name a word gets can be read in one place alone: in the lines before, where
other words of its kind were named.

Kinds have habits: each has four usual names, and gets one of them more often than not. On every training page some kind
has a usual name, on no test page does any: what is learned of habits misleads there, and no test page gives its four
kinds the names of a training page. On training pages a word may come again, on test pages none does: there the name is
never found beside the same word. (In the manner of Brown et al., "Language Models are Few-Shot Learners", 2020, with
the arbitrary labels of Wei et al., "Larger language models do in-context learning differently", 2023. That repetition
and labels which change from page to page are what makes a network look back is from Chan et al., "Data Distributional
Properties Drive Emergent In-Context Learning in Transformers", 2022.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

KINDS: Mapping[str, tuple[str, ...]] = {
    "animals": ("fox", "bear", "mouse", "owl", "duck", "goat", "hare", "crow", "frog", "deer", "wolf", "otter"),
    "foods": ("pear", "plum", "bread", "cheese", "soup", "honey", "apple", "carrot", "rice", "cake", "nut", "bean"),
    "tools": ("hammer", "saw", "rope", "spade", "needle", "ladder", "knife", "brush", "hook", "axe", "file", "nail"),
    "clothes": ("hat", "coat", "shoe", "glove", "scarf", "belt", "shirt", "sock", "cap", "boot", "dress", "cape"),
}
NAMES = ("dax", "wug", "zop", "fep", "blip", "tiv", "gorp", "lun", "mib", "nerk", "pliff", "quib", "rass", "sned",
         "toma", "vek")  # fmt: skip
SPLITS = ("train", "test")
HABIT = 0.6
USUAL = {kind: NAMES[number :: len(KINDS)] for number, kind in enumerate(KINDS)}
"""The names one of which a kind gets with probability HABIT; otherwise it gets any of all names, each alike."""
WORDS = tuple((word, kind) for kind, words in KINDS.items() for word in words)


@dataclass(frozen=True)
class Page:
    """A page.

    names  kind -> its name on this page; no two kinds have the same.
    lines  (word, kind) of each line.
    """

    names: Mapping[str, str]
    lines: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """Three tokens a line, a space between all tokens."""
        return " ".join(f"{word} {self.names[kind]} ." for word, kind in self.lines)


def keeps_a_habit(names: Mapping[str, str]) -> bool:
    """Whether any kind has one of its usual names."""
    return any(name in USUAL[kind] for kind, name in names.items())


def generate_naming(rng: np.random.Generator, count: int, lines: int, split: str = "train") -> list[Page]:
    """So many pages of a split. Each line's word is any of the 48, each alike; in "test" any that has not been there.

    Raises ArgumentError for another split, and for test pages of more lines than there are words.
    """
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    check_whole(0, lines=lines)
    if split == "test" and lines > len(WORDS):
        raise ArgumentError("lines", f"at most {len(WORDS)}, as many as there are words", lines)
    return [Page(_names(rng, split), _lines(rng, lines, split)) for _ in range(count)]


def _names(rng: np.random.Generator, split: str) -> dict[str, str]:
    while True:
        choices = [usual if rng.random() < HABIT else NAMES for usual in USUAL.values()]
        names = {kind: names[rng.integers(len(names))] for kind, names in zip(KINDS, choices)}
        if len(set(names.values())) == len(KINDS) and keeps_a_habit(names) == (split == "train"):
            return names


def _lines(rng: np.random.Generator, count: int, split: str) -> tuple[tuple[str, str], ...]:
    drawn = rng.integers(0, len(WORDS), count) if split == "train" else rng.permutation(len(WORDS))[:count]
    return tuple(WORDS[i] for i in drawn)
