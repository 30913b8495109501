"""`tastes`: people who ask, answers of all sorts, and people who prefer one of two answers by a taste that is known.

    ann : say the food of : cup red bun .      a question: who asks, and a request of `chat`
    the answer is bun , ann . welcome !        an answer, of one or more sentences
    well , bun or cup .                        another one

`marks` counts what an answer has, and a `Taste` is what each of that is worth, in points:

    right    2     of contents it says those that are asked for, and no others
    named    1     it names who asks, and nobody else
    kind     1     it ends with "welcome !"
    again   -1/2   each time that a content, a name or a courtesy is said once more
    over    -1/4   each word beyond the twelfth
    garbled -1/2   each sentence that is none

So nothing that is counted in words alone reaches it: what is right and who is meant stand in the question, and what is
kind once is a nuisance twice. The shortest answers with all four points have six words, signs included.

`People` do not say their points. Shown two answers they say which they prefer: with probability s(difference / t), s
the sigmoid (Bradley and Terry, 1952); and in a share of cases, `slips`, they do not look and toss a coin.

A book has marked answers: behind each one stands its `grade`, one token such as "++-", right, named, and not kind. Of
what is said again, too long or garbled no book says anything.

`write_answer` writes as people of many habits do, most of them careless: a model that learns from that has all kinds of
answers to choose from. `is_held_out` of `chat` parts the lists of words into those to learn from and those of the test.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_llm.datasets import chat_words as words
from tinygrad_llm.datasets.chat import Request, generate_requests
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.errors import ArgumentError

NAMES = ("ann", "ben", "cara", "dan", "eva", "finn")
CONTENTS = frozenset({*words.NOUNS, *words.KINDS, *words.OPPOSITE})
"""What an answer may say: all that requests of the tasks below are answered with, and are about."""
TASKS = ("choose", "kind", "opposite")
"""Of the tasks of `chat`: of each one sees from two words whether an answer is right."""
COURTESY, ENOUGH = "welcome", 12
"""The word of politeness; how many words are not too many."""
GRADES = tuple(map("".join, itertools.product("+-", repeat=3)))
_ONE, _NAME = (f"(?:{'|'.join(sorted(some))})" for some in (CONTENTS, NAMES))
_SENTENCE = re.compile(
    rf"(?:well , )*(?:{_NAME} , )?(?:it is |the answer is )?{_ONE}(?: or {_ONE})?(?: , {_NAME})? \.|{COURTESY} !"
)


@dataclass(frozen=True)
class Asked:
    """Who asks, and for what."""

    name: str
    request: Request

    @property
    def text(self) -> str:
        """The question, a space between any two tokens."""
        return f"{self.name} : {self.request.text}"


def generate_asked(
    rng: np.random.Generator, count: int, split: str = "train", *, tasks: Sequence[str] = TASKS
) -> list[Asked]:
    """So many questions of these tasks, all in the plain form; raises as `generate_requests`."""
    requests = generate_requests(rng, count, split, tasks=tasks, forms=("plain",))
    return [Asked(one_of(rng, NAMES), request) for request in requests]


class Marks(NamedTuple):
    """What an answer has: the first three 1 or 0, the others counted; `length` in words, signs included."""

    right: int
    named: int
    kind: int
    again: int
    over: int
    garbled: int
    length: int


def marks(asked: Asked, answer: str) -> Marks:
    """What this answer has. It is read as a space between any two tokens would have it."""
    said = answer.split()
    contents, names, kind = ([word for word in said if word in some] for some in (CONTENTS, NAMES, (COURTESY,)))
    return Marks(
        right=int({*contents} == {*asked.request.words}),
        named=int({*names} == {asked.name}),
        kind=int(said[-2:] == [COURTESY, "!"]),
        again=sum(len(some) - len({*some}) for some in (contents, names, kind)),
        over=max(0, len(said) - ENOUGH),
        garbled=sum(_SENTENCE.fullmatch(sentence) is None for sentence in sentences(answer)),
        length=len(said),
    )


def grade(asked: Asked, answer: str) -> str:
    """A sign each for right, named and kind, one of GRADES."""
    return "".join("-+"[mark] for mark in marks(asked, answer)[:3])


def sentences(answer: str) -> list[str]:
    """An answer cut behind each "." and "!"; what is left behind the last one is a sentence, too."""
    found: list[list[str]] = [[]]
    for word in answer.split():
        found[-1].append(word)
        if word in (".", "!"):
            found.append([])
    return [" ".join(sentence) for sentence in found if sentence]


@dataclass(frozen=True)
class Taste:
    """What each of the marks is worth; `length`, what each word is worth by itself, is nothing to most people."""

    right: float = 2.0
    named: float = 1.0
    kind: float = 1.0
    again: float = -0.5
    over: float = -0.25
    garbled: float = -0.5
    length: float = 0.0

    def __call__(self, asked: Asked, answer: str) -> float:
        """The points of an answer."""
        return float(sum(getattr(self, name) * count for name, count in marks(asked, answer)._asdict().items()))

    def of(self, asked: Sequence[Asked], answers: Sequence[str]) -> np.ndarray:
        """The points of each answer to its question.  -> (B,)"""
        if len(asked) != len(answers):
            raise ArgumentError("answers", "one a question", f"{len(answers)} to {len(asked)} questions")
        return np.array([self(one, answer) for one, answer in zip(asked, answers)], np.float64)


class Preference(NamedTuple):
    """A question, the answer that somebody preferred, and the other."""

    asked: Asked
    chosen: str
    rejected: str

    @property
    def line(self) -> dict[str, str]:
        """As `tgl align` reads it."""
        return {"prompt": self.asked.text, "chosen": self.chosen, "rejected": self.rejected}


@dataclass(frozen=True)
class People:
    """taste        what they prefer by.
    temperature  how many points are a slight difference to them: with so many more, 73 in 100 prefer the better one.
    slips        the share of cases in which they toss a coin.
    """

    taste: Taste = Taste()
    temperature: float = 0.5
    slips: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ArgumentError("temperature", "a number above 0", self.temperature)
        if not 0 <= self.slips <= 1:
            raise ArgumentError("slips", "a share from 0 to 1", self.slips)

    def probabilities(self, asked: Sequence[Asked], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
        """How probable it is that one of them prefers the first answer.  -> (B,)"""
        difference = (self.taste.of(asked, first) - self.taste.of(asked, second)) / self.temperature
        return (1 - self.slips) * 0.5 * (1 + np.tanh(difference / 2)) + self.slips / 2

    def prefer(
        self, rng: np.random.Generator, asked: Sequence[Asked], first: Sequence[str], second: Sequence[str]
    ) -> list[Preference]:
        """One of them is asked about each pair; pairs of equal answers are left out, as nothing is to be preferred.

        One number is drawn a pair, left out or not, so that what a pair is called does not hang on those before it.
        """
        likes_first = rng.random(len(asked)) < self.probabilities(asked, first, second)
        return [
            Preference(one, *((a, b) if likes else (b, a)))
            for one, a, b, likes in zip(asked, first, second, likes_first)
            if a != b
        ]

    def ceiling(self, pairs: Sequence[Preference]) -> float:
        """How many of such labels one who knows all of this gets right, in the mean: a share from 1/2 to 1."""
        p = self.probabilities(*zip(*pairs))  # of what was chosen, but the larger of the two does not tell
        return float(np.maximum(p, 1 - p).mean())


def _other(rng: np.random.Generator, asked: Asked) -> str:
    """A content that is wrong: of the question's own words, or where it has no other, of any."""
    right = {*asked.request.words}
    there = [word for word in asked.request.text.split() if word in CONTENTS - right]
    return one_of(rng, there or sorted(CONTENTS - right))


def write_answer(rng: np.random.Generator, asked: Asked) -> str:
    """What somebody writes: 60 in 100 say what is right, 15 something else besides; 45 name who asks, 10 another one;
    40 end politely, a quarter of them twice; a quarter hesitate; one in eight says it all twice.
    """
    right, wrong = asked.request.words[0], _other(rng, asked)
    sort = rng.random()
    said = right if sort < 0.6 else wrong if sort < 0.85 else " or ".join(rng.permutation([right, wrong]))
    who = rng.random()
    name = asked.name if who < 0.45 else one_of(rng, [n for n in NAMES if n != asked.name]) if who < 0.55 else ""
    before = rng.random() < 0.5
    body = f"{one_of(rng, ('', 'it is ', 'the answer is '))}{said}"
    body = f"{name} , {body} ." if name and before else f"{body} , {name} ." if name else f"{body} ."
    lead = "well , " * min(2, int(rng.geometric(0.75)) - 1)
    polite = 0 if rng.random() < 0.6 else 1 + int(rng.random() < 0.25)
    return " ".join([lead + body, *[body] * int(rng.random() < 1 / 8), *[f"{COURTESY} !"] * polite])


WORDS = tuple(
    dict.fromkeys(
        [*NAMES, *": say the kind opposite of . , ! well it is answer or".split(), COURTESY, *sorted(CONTENTS)]
    )
)
"""All tokens of questions and answers."""
