"""Text from somebody else in a prompt: marks around it or in it, and marks taken out of it.

A prompt is one row of tokens, and a model obeys what stands in it: also an instruction that came with the text that was
to be processed. That is prompt injection (Perez and Ribeiro, 2022; where the text was fetched and not typed, an
indirect one: Greshake et al., 2023). No function here stops it. They say where the text begins and ends, in ways that
whoever wrote the text

    delimited    did not know: a mark that is drawn anew for each prompt, and does not occur in the text;
    datamarked   cannot escape: a mark stands before each word, his own marks' too;
    without      cannot write: reserved marks are taken out, again and again, until none is left.

Whether a model heeds it is a question of what it was trained on. Sources: Hines et al., "Defending Against Indirect
Prompt Injection Attacks With Spotlighting", 2024 (the first two); Chen et al., "StruQ: Defending Against Prompt
Injection with Structured Queries", 2024 (reserved marks, a filter, and a model that was taught to heed them).
"""

from __future__ import annotations

import string
from collections.abc import Iterable

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole


def delimited(text: str, rng: np.random.Generator, length: int = 8) -> tuple[str, str]:
    """(the mark, the text between two of it on lines of their own): small letters, drawn until the text has them not.

    Who guesses hits one mark in 26^length. The prompt has to say which one it is, before the text.
    """
    check_whole(length=length)
    for _ in range(100):
        mark = "".join(string.ascii_lowercase[i] for i in rng.integers(26, size=length))
        if mark not in text:
            return mark, f"{mark}\n{text}\n{mark}"
    raise ArgumentError("length", "long enough for a mark that is not in the text", length)


def datamarked(text: str, mark: str = "^") -> str:
    """The words of a text with the mark before each, in place of white space.

    A mark in the text stays, with one before it like any other word: so nothing that was written looks unmarked.
    """
    if not mark.strip():
        raise ArgumentError("mark", "something that is to be seen", repr(mark))
    return "".join(mark + word for word in text.split())


def without(text: str, marks: Iterable[str]) -> str:
    """The text without these marks; what the gap joins to a mark is taken out, too, until there is none.

    Once would not do: of "<e<end>nd>" it would leave "<end>". Marks are whole strings, and case counts.
    """
    reserved = tuple(marks)
    if "" in reserved:
        raise ArgumentError("marks", "strings with something in them", repr(""))
    before = None
    while before != text:
        before = text
        for mark in reserved:
            text = text.replace(mark, "")
    return text
