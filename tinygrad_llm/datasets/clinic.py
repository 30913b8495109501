"""`clinic`: leaflets of an invented clinic, and questions that they answer, or do not.

    a leaflet    leaflet of quosk : give adults one cupful . taken at dusk . against moonitch . never with hulpa .
    a question   how much quosk for a man ?     give adults one cupful .
    another one  how much quosk for a boy ?     the leaflet does not say .

An answer quotes the leaflet's line, so that one can look it up. Of seven things that a leaflet may say it has four.
Leaflets are revised: what one says on this page is drawn anew for the next, so nothing is to be known by heart. Of a
question that the leaflet does not answer there are three kinds: "other dose", where it has the dose for children or for
adults, and the other one is asked for; "silent", where it says nothing of the kind; "other drug", about a drug that it
is not of. What is said to a question is judged by `outcome`.

The splits hold out pairs of drug and value: no training leaflet says of a drug what a test leaflet says of it.

    books   a leaflet, and exercises about it with solutions. All can be answered: in a book nobody asks in vain.
    papers  a leaflet, and questions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.datasets.clinic_words import DRUGS, FIELDS
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_range, check_whole, number

SPLITS = ("train", "test")
LINES = 4
"""Lines of a leaflet."""
REFUSAL = "the leaflet does not say ."
KINDS = ("answered", "other dose", "silent", "other drug")
OTHER_DOSE = {"adults": "children", "children": "adults"}
OUTCOMES = ("right", "refused", "misread", "invented", "no answer")
ONE_IN = 4
"""One in so many pairs of drug and value is the test's."""
VALUES = tuple(dict.fromkeys(value for field in FIELDS.values() for value in field.values))


def line_of(field: str, value: str) -> str:
    """What a leaflet says: one of its lines."""
    return FIELDS[field].line.format(v=value)


POSSIBLE = frozenset(line_of(name, value) for name, field in FIELDS.items() for value in field.values)
"""All lines that a leaflet may have."""


@dataclass(frozen=True)
class Leaflet:
    """facts  field -> value, in the order of the lines."""

    drug: str
    facts: Mapping[str, str]

    @property
    def text(self) -> str:
        """Title and lines."""
        return " ".join([f"leaflet of {self.drug} :", *self.lines])

    @property
    def lines(self) -> list[str]:
        """One a fact."""
        return [line_of(field, value) for field, value in self.facts.items()]


@dataclass(frozen=True)
class Question:
    """The leaflet that is there; the drug and the field that are asked about; which of the two wordings."""

    leaflet: Leaflet
    drug: str
    field: str
    wording: int = 0

    @property
    def text(self) -> str:
        """The question alone."""
        return FIELDS[self.field].questions[self.wording].format(d=self.drug)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.drug != self.leaflet.drug:
            return "other drug"
        if self.field in self.leaflet.facts:
            return "answered"
        return "other dose" if OTHER_DOSE.get(self.field) in self.leaflet.facts else "silent"

    @property
    def answer(self) -> str:
        """What is to be said: the leaflet's line, or REFUSAL."""
        return line_of(self.field, self.leaflet.facts[self.field]) if self.kind == "answered" else REFUSAL


def is_held_out(drug: str, value: str) -> bool:
    """Whether the test's leaflets alone say this of the drug."""
    place = VALUES.index(value)
    return (DRUGS.index(drug) + 3 * place + place // ONE_IN) % ONE_IN == 0


def outcome(question: Question, said: str) -> str:
    """What an answer is, one of OUTCOMES.

    right      the line of the leaflet that answers.
    refused    REFUSAL; whether it was due, the question's kind tells.
    misread    a line that stands in the leaflet, but does not answer this.
    invented   a line as leaflets have them, but this one has not.
    no answer  anything else.
    """
    if said == REFUSAL:
        return "refused"
    if said == question.answer:
        return "right"
    if said in question.leaflet.lines:
        return "misread"
    return "invented" if said in POSSIBLE else "no answer"


def guess(question: Question, rng: np.random.Generator) -> str:
    """What somebody says who cannot say no, or does not look: the line that the leaflet has for another drug, or the
    other dose; where it has neither, a line of the field that was asked for, with any value that is not the right one.
    """
    facts = question.leaflet.facts
    tempting = question.field if question.kind == "other drug" else OTHER_DOSE.get(question.field, "")
    if tempting in facts:
        return line_of(tempting, facts[tempting])
    values = [v for v in FIELDS[question.field].values if v not in (question.drug, facts.get(question.field))]
    return line_of(question.field, one_of(rng, values))


def generate_clinic(
    rng: np.random.Generator, count: int, split: str = "train", *, unanswered: float = 0.4
) -> list[Question]:
    """So many questions of a split, each with a leaflet of its own; a share `unanswered` is not answered by it, of each
    of the three kinds as many.

    Raises ArgumentError for another split, and for a share outside 0 to 1.
    """
    check_whole(0, count=count)
    check_range("unanswered", unanswered, number(0, 1))
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    found = []
    for _ in range(count):
        kind = one_of(rng, KINDS[1:]) if rng.random() < unanswered else KINDS[0]
        found.append(_question(rng, kind, split))
    return found


def generate_books(rng: np.random.Generator, count: int, *, exercises: int = 3) -> list[str]:
    """Pages of a leaflet and so many exercises, which it answers, with solutions; of the training split."""
    pages = _pages(rng, count, exercises=exercises)
    return [" ".join([q[0].leaflet.text, *(f"{exercise(one)} {one.answer}" for one in q)]) for q in pages]


def generate_papers(rng: np.random.Generator, count: int, *, questions: int = 4) -> list[str]:
    """Pages of a leaflet and so many questions about it: nobody answers."""
    pages = _pages(rng, count, questions=questions)
    return [" ".join([q[0].leaflet.text, *(one.text for one in q)]) for q in pages]


def exercise(question: Question) -> str:
    """A question as it stands in a book, up to where its solution comes."""
    return f"Exercise : {question.text} Solution :"


def _pages(rng: np.random.Generator, count: int, **lines: Any) -> list[list[Question]]:
    """Questions about one leaflet, no two about the same line.  Raises ArgumentError for more than it has lines."""
    check_whole(count=count, **lines)
    ((name, asked),) = lines.items()
    if asked > LINES:
        raise ArgumentError(name, f"at most {LINES}, the lines of a leaflet", asked)
    pages = []
    for _ in range(count):
        leaflet = _leaflet(rng, "train")
        fields = [tuple(leaflet.facts)[i] for i in rng.permutation(LINES)[:asked]]
        pages.append([Question(leaflet, leaflet.drug, field, int(rng.integers(2))) for field in fields])
    return pages


def _question(rng: np.random.Generator, kind: str, split: str) -> Question:
    while True:
        leaflet = _leaflet(rng, split)
        others = [drug for drug in DRUGS if drug != leaflet.drug]
        drug = one_of(rng, others) if kind == "other drug" else leaflet.drug
        question = Question(leaflet, drug, one_of(rng, tuple(FIELDS)), int(rng.integers(2)))
        if question.kind == kind:
            return question


def _leaflet(rng: np.random.Generator, split: str) -> Leaflet:
    drug, fields = one_of(rng, DRUGS), [tuple(FIELDS)[j] for j in rng.permutation(len(FIELDS))[:LINES]]
    return Leaflet(drug, {field: _value(rng, drug, field, split) for field in fields})


def _value(rng: np.random.Generator, drug: str, field: str, split: str) -> str:
    values = [v for v in FIELDS[field].values if v != drug and is_held_out(drug, v) == (split == "test")]
    return one_of(rng, values)
