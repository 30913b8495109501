"""`meaning`: sentences with others that say the same and others that do not, and it is known which.

    reference  lily gave tom three kites at the harbor .
    right      lily handed tom three kites at the harbor .           another word
               at the harbor lily gave three kites to tom .          reordered
               three kites were given to tom by lily at the harbor . passive
               tom got three kites from lily at the harbor .         converse
               lily gave tom three kites at the harbor , not five .  contrast
    wrong      lily did not give tom three kites at the harbor .     negated
               tom gave lily three kites at the harbor .             exchanged
               lily gave tom five kites at the harbor .              number

A wrong sentence is the reference with one thing changed. Its *twins* say the same wrong thing in the form of each right
one, so that the two differ in what they mean and in nothing else: every order of names is right in one form and wrong
in another, and "not" stands in denials and in contrasts. References are denied as often as not; then the negated one
drops the denial.

Splits hold out combinations: two children that meet in a sentence of val or test never do so in train, and neither does
a number with a thing. Wrong numbers are taken from the same split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinygrad_llm.datasets.meaning_words import CHILDREN, DENIALS, NUMBERS, PLACES, QUESTIONS, THINGS, VERBS
from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.ranges import check_whole

SPLITS = ("train", "val", "test")
ORDERS = ("active", "to", "passive", "converse")
RIGHT = ("another word", "reordered", "passive", "converse", "contrast")
WRONG = ("negated", "exchanged", "number")


@dataclass(frozen=True)
class Fact:
    """What a sentence says: who would have given whom how many of what and where, and whether it happened."""

    verb: str
    giver: str
    taker: str
    number: str
    thing: str
    place: str
    happened: bool


@dataclass(frozen=True)
class Form:
    """How it is said.

    order        one of ORDERS.
    word         which of the verb's words, counted around.
    place_first  whether the place stands at the beginning.
    denial       "not" or "never", where it did not happen.
    contrast     a number that it was not, or "": "…, not five"; only where it happened.
    """

    order: str = "active"
    word: int = 0
    place_first: bool = False
    denial: str = "not"
    contrast: str = ""


@dataclass(frozen=True)
class Meanings:
    """A reference and sentences to hold against it.

    right  kind -> a sentence that says the same; "contrast" only where it happened.
    wrong  kind -> the reference with that wrong.
    twins  (kind of right, kind of wrong) -> what is wrong, in the form of that right one.
    """

    fact: Fact
    reference: str
    right: Mapping[str, str]
    wrong: Mapping[str, str]
    twins: Mapping[tuple[str, str], str]


def say(fact: Fact, form: Form) -> str:
    """The sentence.  Raises ArgumentError for another order."""
    if form.order not in ORDERS:
        raise ArgumentError("order", f"one of {', '.join(ORDERS)}", repr(form.order))
    verb, what = VERBS[fact.verb], f"{fact.number} {fact.thing}"
    past, base, participle = verb.gives[form.word % len(verb.gives)]
    if form.order == "converse":
        past, base = verb.takes[form.word % len(verb.takes)]
    if form.order == "passive":
        did = f"were {participle}" if fact.happened else f"were {form.denial} {participle}"
    elif fact.happened:
        did = past
    else:
        did = f"did not {base}" if form.denial == "not" else f"never {past}"
    said = {
        "active": f"{fact.giver} {did} {fact.taker} {what}",
        "to": f"{fact.giver} {did} {what} to {fact.taker}",
        "passive": f"{what} {did} to {fact.taker} by {fact.giver}",
        "converse": f"{fact.taker} {did} {what} from {fact.giver}",
    }[form.order]
    where = f"at the {fact.place}"
    said = f"{where} {said}" if form.place_first else f"{said} {where}"
    return f"{said} , not {form.contrast} ." if form.contrast and fact.happened else f"{said} ."


def read(text: str) -> Fact:
    """The fact that a sentence of this grammar says.  Raises DataError for a text that is none of its sentences."""
    words = text.split()
    verbs = {word: name for name, verb in VERBS.items() for forms in (*verb.gives, *verb.takes) for word in forms}
    takes = {word for verb in VERBS.values() for forms in verb.takes for word in forms}
    names = [word for word in words if word in CHILDREN]
    found = {
        "verb": [verbs[word] for word in words if word in verbs],
        "number": [word for word in words if word in NUMBERS],
        "thing": [word for word in words if word in THINGS],
        "place": [word for word in words if word in PLACES],
    }
    if len(names) != 2 or not all(found.values()):
        raise DataError("text", "a sentence of `meaning`", repr(text))
    backwards = "by" in words or any(word in takes for word in words)  # the giver stands last
    giver, taker = names[::-1] if backwards else names
    denied = "never" in words or any(pair in (("did", "not"), ("were", "not")) for pair in zip(words, words[1:]))
    return Fact(giver=giver, taker=taker, happened=not denied, **{name: each[0] for name, each in found.items()})


def questions(fact: Fact) -> dict[str, tuple[str, str]]:
    """What is asked -> the question and its answer: a child, a number, a thing, a place, or yes or no."""
    answers = {name: getattr(fact, name) for name in QUESTIONS} | {"happened": "yes" if fact.happened else "no"}
    return {name: (question, answers[name]) for name, question in QUESTIONS.items()}


def children_split(one: str, other: str) -> str:
    """The split in which two children meet: of six pairs one in val and one in test."""
    i, j = sorted((CHILDREN.index(one), CHILDREN.index(other)))
    return {0: "val", 1: "test"}.get((i + j + j // 3) % 6, "train")


def number_split(number: str, thing: str) -> str:
    """The split in which a number meets a thing: of seven numbers of each thing two in val and two in test."""
    place = (NUMBERS.index(number) + 2 * THINGS.index(thing)) % len(NUMBERS)
    return ("val", "val", "test", "test", "train", "train", "train")[place]


def draw_fact(rng: np.random.Generator, split: str = "train") -> Fact:
    """A fact of a split.  Raises ArgumentError for another split."""
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    pairs = [(a, b) for a in CHILDREN for b in CHILDREN if a != b and children_split(a, b) == split]
    counted = [(n, t) for n in NUMBERS for t in THINGS if number_split(n, t) == split]
    (giver, taker), (number, thing) = pairs[rng.integers(len(pairs))], counted[rng.integers(len(counted))]
    verb, place = tuple(VERBS)[rng.integers(len(VERBS))], PLACES[rng.integers(len(PLACES))]
    return Fact(verb, giver, taker, number, thing, place, bool(rng.random() < 0.5))


def draw_form(rng: np.random.Generator, fact: Fact, split: str = "train") -> Form:
    """Any form in which it can be said; one in four of what happened with a contrast."""
    order = ORDERS[rng.integers(len(ORDERS))]
    contrast = _another(rng, fact, split) if rng.random() < 0.25 else ""
    denial = DENIALS[rng.integers(len(DENIALS))]
    return Form(order, int(rng.integers(2)), bool(rng.random() < 0.5), denial, contrast)


def generate_meanings(rng: np.random.Generator, count: int, split: str = "test") -> list[Meanings]:
    """So many references of a split, with what is right and wrong beside them.

    Raises ArgumentError for a count that is no whole number of at least 1, or another split.
    """
    check_whole(count=count)
    return [_meanings(rng, split) for _ in range(count)]


def _meanings(rng: np.random.Generator, split: str) -> Meanings:
    fact = draw_fact(rng, split)
    form = replace(draw_form(rng, fact, split), order=ORDERS[rng.integers(2)], contrast="")
    other = _another(rng, fact, split)
    forms = {
        "another word": replace(form, word=1 - form.word, denial="never" if form.denial == "not" else "not"),
        "reordered": replace(
            form, order="to" if form.order == "active" else "active", place_first=not form.place_first
        ),
        "passive": replace(form, order="passive"),
        "converse": replace(form, order="converse"),
    }
    if fact.happened:
        forms["contrast"] = replace(form, contrast=other)
    wrongs = {
        "negated": replace(fact, happened=not fact.happened),
        "exchanged": replace(fact, giver=fact.taker, taker=fact.giver),
        "number": replace(fact, number=other),
    }

    def twin(how: Form, wrong: Fact) -> str:
        same = wrong.number == how.contrast  # five, not five: it is the right number that it was not
        return say(wrong, replace(how, contrast=fact.number) if same else how)

    return Meanings(
        fact,
        say(fact, form),
        {kind: say(fact, how) for kind, how in forms.items()},
        {kind: say(wrong, form) for kind, wrong in wrongs.items()},
        {(kind, what): twin(how, wrong) for kind, how in forms.items() for what, wrong in wrongs.items()},
    )


def _another(rng: np.random.Generator, fact: Fact, split: str) -> str:
    """Another number that meets this thing in the split."""
    others = [n for n in NUMBERS if n != fact.number and number_split(n, fact.thing) == split]
    return others[rng.integers(len(others))]
