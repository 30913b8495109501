"""What an answer is worth where the right one is known: 1 or 0, by a rule that has a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from tinygrad_llm.evaluate import exact_match

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?")


def same_text(answer: str, expected: str) -> bool:
    """The same but for white space."""
    return answer.split() == expected.split()


def same_words(answer: str, expected: str) -> bool:
    """The same but for case, marks, articles and white space: see `evaluate.exact_match`."""
    return exact_match(answer, expected) == 1


def contains(answer: str, expected: str) -> bool:
    """The expected words stand in the answer, whole and in a row."""
    words = r"\s+".join(map(re.escape, expected.split()))
    return re.search(rf"(?<!\w){words}(?!\w)", answer) is not None


def last_line(answer: str, expected: str) -> bool:
    """The last line that says something is the expected text: what stands above it may be steps."""
    lines = [line for line in answer.splitlines() if line.strip()]
    return bool(lines) and same_text(lines[-1], expected)


def last_number(answer: str, expected: str) -> bool:
    """The last number of both is the same: 1,200 is 1200.0."""
    mine, theirs = (NUMBER.findall(text)[-1:] for text in (answer, expected))
    return bool(mine and theirs) and _value(mine[0]) == _value(theirs[0])


def _value(number: str) -> Decimal:
    return Decimal(number.replace(",", ""))


VERIFIERS: dict[str, Callable[[str, str], bool]] = {
    "text": same_text,
    "words": same_words,
    "contains": contains,
    "last-line": last_line,
    "number": last_number,
}
"""By the name that `tgl align --verifier` has for it."""
