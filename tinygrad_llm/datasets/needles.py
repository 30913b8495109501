"""`needles`: long stories in which a child hides a thing, and at the end it is asked what it hid.

    sailor saw lamp . lily hid drum . king washed boat . dog saw lamp . … lily hid

Every line has four tokens. Most lines are hay: some being does something to some thing, and what it is says nothing of
what was hidden. In one line, the needle, a child hides a thing; where there are more needles, no two children hide the
same one. The last lines ask: they are the needles once more, of which the thing is to be said.

Who hides what is drawn anew for every story, each pair alike: nothing that was learned of other stories tells it.
Neither the last thing, nor the first, nor any that stands at a certain place is the answer more often than others, and
the most frequent one hardly. (In the manner of Kamradt's "Needle in a Haystack", 2023, with which Gemini 1.5 was tested
over ten million tokens; more needles as in Hsieh et al., "RULER", 2024.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.datasets.lingo_words import BEINGS, THINGS, VERBS
from tinygrad_llm.datasets.whereabouts import CHILDREN
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

HID, STOP = 0, 1
DID = tuple(did for verb, (_, _, did) in VERBS.items() if verb != "hide")
WORDS = ("hid", ".", *CHILDREN, *BEINGS, *DID, *THINGS)
CHILD_IDS, BEING_IDS, DID_IDS, THING_IDS = (
    np.arange(len(words)) + WORDS.index(words[0]) for words in (CHILDREN, (*BEINGS,), DID, (*THINGS,))
)
LINE = 4
"""Tokens of a line."""


@dataclass(frozen=True)
class Stories:
    """N stories of L lines.

    tokens  (N, 4 L), numbers of WORDS; the last lines ask, one for each needle.
    asked   (N, 4 L), true at the things that are asked for.
    needle  (N,), the line in which stands what the last line asks for, from 0.
    """

    tokens: np.ndarray
    asked: np.ndarray
    needle: np.ndarray

    def text(self, row: int) -> str:
        """A story in words."""
        return " ".join(WORDS[i] for i in self.tokens[row])


def generate_needles(
    rng: np.random.Generator, count: int, lines: int, *, depth: float | None = None, hiders: int = 1
) -> Stories:
    """So many stories of so many lines each.

    depth   where the needle stands that the last line asks for, from 0, the first line, to 1, the last one before the
            questions; anywhere where None.
    hiders  children that hide something, at most 12: as many needles, and as many questions.

    Raises ArgumentError for too few lines, too many children, and a depth that is none.
    """
    check_whole(count=count, lines=lines, hiders=hiders)
    if hiders > len(CHILDREN):
        raise ArgumentError("hiders", f"1 to the {len(CHILDREN)} children", hiders)
    if lines < 2 * hiders:
        raise ArgumentError("lines", f"at least {2 * hiders}", lines)
    if depth is not None and not 0 <= depth <= 1:
        raise ArgumentError("depth", "None, or from 0 to 1", depth)
    before = lines - hiders
    child, thing = (rng.random((count, n)).argsort(1)[:, :hiders] for n in (len(CHILDREN), len(THINGS)))
    needles = np.stack([CHILD_IDS[child], np.full_like(child, HID), THING_IDS[thing], np.full_like(child, STOP)], -1)
    hay = [ids[rng.integers(0, len(ids), (count, before))] for ids in (BEING_IDS, DID_IDS, THING_IDS)]
    tokens = np.stack([*hay, np.full((count, before), STOP)], -1)
    where = rng.random((count, before)).argsort(1)[:, :hiders]
    if depth is not None:  # the last needle, for which the last line asks, stands there, and the others elsewhere
        line = round(depth * (before - 1))
        others = rng.random((count, before - 1)).argsort(1)[:, : hiders - 1]
        where = np.concatenate([others + (others >= line), np.full((count, 1), line)], 1)
    tokens[np.arange(count)[:, None], where] = needles
    tokens = np.concatenate([tokens, needles], 1).reshape(count, -1)
    asked = np.zeros(tokens.shape, bool)
    asked[:, before * LINE + 2 :: LINE] = True
    return Stories(tokens, asked, where[:, -1])
