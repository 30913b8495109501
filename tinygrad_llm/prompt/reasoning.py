"""Thinking aloud: the answer is read out of a text that ends with it, and of several texts the most usual one counts.

    chain of thought   "… 3 + 4 = 7. The answer is 7."  ->  read_answer(text)  ->  "7"
    self-consistency   many such texts, drawn at random  ->  majority(answers)

Different ways of thinking that are right lead to one answer; those that are wrong, to many. Source: Wei et al.,
"Chain-of-Thought Prompting Elicits Reasoning in Large Language Models", 2022; Kojima et al., "Large Language Models are
Zero-Shot Reasoners", 2022; Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
2023.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.evaluate.texts import check_text

MARKER = "The answer is"
NUMBER = re.compile(r"(?:(?<![\w.,)])[-+−])?[$€£]?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+)")
"""Digits, with commas at thousands or none, and decimals; before them a currency, and a sign that does not stand
between two numbers."""


def read_answer(text: str, marker: str = MARKER) -> str | None:
    """What follows the marker where it stands last, up to the end of its line; None without a marker or anything
    behind it.

    Capitals do not matter. A colon behind the marker, white space, and a point at the end are no part of an answer.

    Raises ArgumentError for an empty marker, DataError for what is no text.
    """
    if not marker:
        raise ArgumentError("marker", "at least one character", repr(marker))
    found = [*re.finditer(re.escape(marker), check_text("text", text), re.IGNORECASE)]
    if not found:
        return None
    line = text[found[-1].end() :].lstrip(" \t:").split("\n")[0].strip()
    return line.removesuffix(".").strip() or None


def read_number(text: str, marker: str = MARKER) -> str | None:
    """The first number behind the marker; where there is no marker, the text's last. None where there is none.

    Numbers of one value have one spelling: "$1,200.50", "+1200.5" are "1200.5", and "7.0" is "7".

    Raises as `read_answer`.
    """
    answer = read_answer(text, marker)
    marked = answer is not None
    numbers = NUMBER.findall(text if answer is None else answer)
    if not numbers:
        return None
    found = Decimal(re.sub("[,$€£]", "", numbers[0 if marked else -1]).replace("−", "-"))
    plain = f"{found:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if not found else plain.lstrip("+")


def read_choice(text: str, choices: Sequence[str], marker: str = MARKER) -> str | None:
    """The choice that stands first behind the marker as whole words, the longest of those that begin there; None where
    none does.

    Capitals do not matter: it is given as it stands among the choices. Raises DataError for no choices, or an empty
    one; else as `read_answer`.
    """
    if not choices or not all(choices):
        raise DataError("choices", "at least one, none empty", list(choices))
    answer = read_answer(text, marker)
    places = []
    for choice in choices:
        if found := re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", answer or "", re.IGNORECASE):
            places.append((found.start(), -len(choice), choice))
    return min(places)[2] if places else None


@dataclass(frozen=True)
class Vote:
    """answer  the one with most votes, as it was first given; None where nobody voted.
    votes   by answer, in the order in which they were first given.
    share   of the votes that it has, 0 where nobody voted: how sure the majority is.
    is_tie  whether another has as many.
    """

    answer: str | None
    votes: Mapping[str, float]
    share: float
    is_tie: bool


def majority(
    answers: Sequence[str | None],
    weights: Sequence[float] | None = None,
    *,
    key: Callable[[str], str] = str.strip,
) -> Vote:
    """The answer that is given most often. Of several that are given as often it is the one that came first.

    answers  None where no answer could be read: it does not vote.
    weights  how much each counts; 1 where None. With the probabilities of the texts it is the paper's weighted vote.
    key      answers with the same key are one answer.

    Raises ShapeError for other weights, ArgumentError for one below 0 or that is no number.
    """
    counts = [1.0] * len(answers) if weights is None else [float(weight) for weight in weights]
    if len(counts) != len(answers):
        raise ShapeError("weights", f"({len(answers)},), one an answer", (len(counts),))
    if bad := [weight for weight in counts if not 0 <= weight < math.inf]:
        raise ArgumentError("weights", "numbers of at least 0", bad[0])
    spelled: dict[str, str] = {}
    gathered: dict[str, list[float]] = {}
    for answer, weight in zip(answers, counts):
        if answer is not None:
            name = spelled.setdefault(key(answer), answer)
            gathered.setdefault(name, []).append(weight)
    votes = {name: math.fsum(given) for name, given in gathered.items()}  # whatever their order, the same sum
    total = math.fsum(votes.values())
    if not total:
        return Vote(None, votes, 0.0, len(votes) > 1)
    most = max(votes.values())
    best = [name for name, count in votes.items() if count == most]
    return Vote(best[0], votes, most / total, len(best) > 1)
