"""A text that is being written: its ids, and where what is written begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Texts = Sequence[Sequence[int]]
"""The ids that each row has so far, its prompt among them; of a `Text` it is known where the prompt ends."""


class Text(list[int]):
    """The ids of a prompt and of what follows it.

    start  how many of them are the prompt.
    """

    def __init__(self, ids: Iterable[int], start: int) -> None:
        super().__init__(ids)
        self.start = start


def written(text: Sequence[int]) -> Sequence[int]:
    """What follows the prompt; all of it where the text is a plain sequence, of which no prompt is known."""
    return text[text.start :] if isinstance(text, Text) else text
