"""`customs`: pages that tell, in English or in lingo, who brings which thing to the feast of some place.

    harbor king book . harbor dog stone . harbor king book .
    bamis simar dorak . bamis hatul vurek .

All lines of a page begin with its place. Every place has customs of its own, in each of the two languages others: at
the feast in the harbor the king brings one thing, the same every time, and nobody else brings it. Nothing but having
met a custom tells what it is. English says who, then what; lingo, which is nearly English backwards, what, then who. So
the third word of a line can be known, from the two before it together and from neither alone; all else is drawn, each
word alike. There are 2 · 12 · 16 = 384 customs to be known by heart, and almost no grammar.

Words are numbers here, of WORDS; the page's place is its topic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.datasets.lingo_words import BEINGS, PLACES, THINGS
from tinygrad_llm.ranges import check_whole

LANGUAGES = ("english", "lingo")
_KINDS = {
    "place": PLACES | {"castle": "kastor", "meadow": "pradin", "library": "libak", "village": "vilur"},
    "being": BEINGS | {"fox": "rusel", "owl": "hibok", "goat": "kozir", "smith": "feral"},
    "thing": THINGS | {"rope": "strik", "bell": "kampor", "crown": "koril", "spade": "lopat"},
}
"""English words and lingo's for them: those of `lingo_words`, and some more."""
PLACE_NAMES = tuple(_KINDS["place"])
STOP = 0
WORDS = (
    ".",
    *(word for kind in _KINDS.values() for words in (kind.keys(), kind.values()) for word in words),
)
LINE = 4
"""Tokens of a line, its full stop among them."""


def word_ids(kind: str) -> np.ndarray:
    """The numbers of a kind's words, "place", "being" or "thing", in English and in lingo.  (2, how many)"""
    words = _KINDS[kind]
    return WORDS.index(next(iter(words))) + np.arange(2 * len(words)).reshape(2, -1)


@dataclass(frozen=True)
class Pages:
    """N pages of L lines.

    tokens  (N, 4 L), numbers of WORDS; language, place  (N,), numbers.
    known   (N, 4 L), true at the third word of each line, which those before it tell.
    """

    tokens: np.ndarray
    language: np.ndarray
    place: np.ndarray
    known: np.ndarray

    def text(self, row: int) -> str:
        """A page in words."""
        return " ".join(WORDS[i] for i in self.tokens[row])


def draw_customs(rng: np.random.Generator) -> np.ndarray:
    """Which thing each being brings, by language and place; no two bring the same.  (2, 12, 16)"""
    return rng.random((len(LANGUAGES), *(len(_KINDS[kind]) for kind in ("place", "being")))).argsort(-1)


def generate_pages(rng: np.random.Generator, customs: np.ndarray, count: int, lines: int) -> Pages:
    """So many pages of so many lines each, by these customs.

    Raises ArgumentError for sizes that are no whole numbers of at least 1.
    """
    check_whole(count=count, lines=lines)
    language, place = rng.integers(0, len(LANGUAGES), count), rng.integers(0, customs.shape[1], count)
    who = rng.integers(0, customs.shape[2], (count, lines))
    what = customs[language[:, None], place[:, None], who]
    being, thing = word_ids("being")[language[:, None], who], word_ids("thing")[language[:, None], what]
    english = (language == 0)[:, None]
    where = np.broadcast_to(word_ids("place")[language, place][:, None], who.shape)
    order = where, np.where(english, being, thing), np.where(english, thing, being), np.full_like(being, STOP)
    tokens = np.stack(order, -1).reshape(count, -1)
    known = np.zeros(tokens.shape, bool)
    known[:, 2::LINE] = True
    return Pages(tokens, language, place, known)
