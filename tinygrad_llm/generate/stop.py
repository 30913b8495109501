"""When a text is finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole


class StopRule:
    """Ends a row at a stop id, or where its text contains a stop string: what it writes after its prompt.

    stopped  for each row whether one of them ended it.
    """

    def __init__(self, ids: Sequence[int], strings: Sequence[str], tokenizer: Any, rows: int) -> None:
        if strings and tokenizer is None:
            raise ArgumentError("tokenizer", "the model's, to find stop strings", "none", "Pass tokenizer=.")
        if any(not text for text in strings):
            raise ArgumentError("stop_strings", "texts of at least one character", list(strings))
        ids = list(ids)
        for token in ids:
            check_whole(0, stop_ids=token)
        self.ids, self.strings = frozenset(ids), tuple(strings)
        self.longest = max(map(len, self.strings), default=0)
        self.streams = [tokenizer.stream_decoder(begun=True) for _ in range(rows)] if strings else []
        self.tails, self.stopped = [""] * rows, [False] * rows

    def ends(self, row: int, token: int) -> bool:
        """Takes the row's next token; whether the row ends with it."""
        if token in self.ids:
            self.stopped[row] = True
        elif self.strings:
            # what came before can only matter as the beginning of a stop string
            text = self.tails[row] + self.streams[row].push(token)
            self.stopped[row] = any(string in text for string in self.strings)
            self.tails[row] = text[max(0, len(text) - self.longest + 1) :]
        return self.stopped[row]


class ShownText:
    """A text as it is drawn, token by token, up to where it ends: no half of a character is shown, and nothing of what
    ends it.

    ids, strings  as of StopRule.
    ended         whether one of them has come.
    """

    def __init__(self, tokenizer: Any, ids: Sequence[int] = (), strings: Sequence[str] = ()) -> None:
        self.ids, self.strings, self.ended = frozenset(ids), tuple(strings), False
        self.stream, self.held = tokenizer.stream_decoder(), ""

    def push(self, token: int) -> str:
        """What can be shown once this token is drawn; what may be the beginning of a stop string is held back."""
        if token in self.ids:
            self.ended = True
            return self.finish()
        self.held += self.stream.push(token)
        if found := [place for string in self.strings if (place := self.held.find(string)) >= 0]:
            self.ended = True
            shown, self.held = self.held[: min(found)], ""
            return shown
        kept = max(
            (n for string in self.strings for n in range(len(string)) if self.held.endswith(string[:n])), default=0
        )
        shown, self.held = self.held[: len(self.held) - kept], self.held[len(self.held) - kept :]
        return shown

    def finish(self) -> str:
        """What was held back and turned out to be text; U+FFFD for a character that was never completed."""
        rest, self.held = self.held + self.stream.finish(), ""
        return rest
