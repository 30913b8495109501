"""What an answer is worth where the right one is known: 1 or 0, by a rule that has a name."""

from __future__ import annotations

import re
from collections.abc import Callable

from tinygrad_llm.evaluate import exact_match
from tinygrad_llm.prompt import read_number


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
    """The same number, as `prompt.read_number` finds it: behind "The answer is", else the last. 1,200 is 1200.0."""
    found = read_number(answer)
    return found is not None and found == read_number(expected)


VERIFIERS: dict[str, Callable[[str, str], bool]] = {
    "text": same_text,
    "words": same_words,
    "contains": contains,
    "last-line": last_line,
    "number": last_number,
}
"""By the name that `tgl align --verifier` has for it."""
