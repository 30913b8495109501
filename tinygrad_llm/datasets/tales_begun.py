"""How probable is it that a tale begins with a text?  What `derivations` says of whole tales, for parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.datasets.tales import generate_story


def begins(text: str) -> float:
    """The probability, before any split, that a tale begins with exactly this text; 0 where none does.

    The sum over the grammar's choices, of which a branch is left as soon as what it says differs from the text, or has
    said all of it: the probabilities of all texts of n characters sum to 1, as long as no tale is shorter.
    """
    total, paths = 0.0, list[list[int]]([[]])
    while paths:
        walk = _Walk(paths.pop(), text)
        try:
            told = generate_story(walk.choose).text
        except _Open as more:
            paths += [[*walk.path, i] for i in range(more.count)]
            continue
        except _Said as known:
            told = known.text
        total += walk.probability if told.startswith(text) else 0.0
    return total


class _Open(Exception):
    """The path ends here; `count` branches go on."""

    def __init__(self, count: int) -> None:
        self.count = count


class _Said(Exception):
    """What has been told is enough to know whether the tale begins with the text."""

    def __init__(self, text: str) -> None:
        self.text = text


class _Walk:
    """Choices by a path of numbers, as far as it goes, and their probability."""

    def __init__(self, path: list[int], text: str) -> None:
        self.path, self.text, self.made, self.probability = path, text, iter(path), 1.0

    def choose(self, options: Sequence[Any], so_far: str) -> Any:
        """The option that the path names."""
        if len(so_far) >= len(self.text) or not self.text.startswith(so_far):
            raise _Said(so_far)
        choice = next(self.made, None)
        if choice is None:
            raise _Open(len(options))
        self.probability /= len(options)
        return options[choice]
