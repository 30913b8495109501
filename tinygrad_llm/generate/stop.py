"""When a text is finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole


def check_strings(strings: Sequence[str]) -> None:
    """Raises ArgumentError for an empty stop string, which every text contains."""
    if any(not text for text in strings):
        raise ArgumentError("stop_strings", "texts of at least one character", list(strings))


class StopRule:
    """Ends a row at a stop id, or where its text contains a stop string: what it writes after its prompt.

    stopped  for each row whether one of them ended it.
    """

    def __init__(self, ids: Sequence[int], strings: Sequence[str], tokenizer: Any, rows: int) -> None:
        if strings and tokenizer is None:
            raise ArgumentError("tokenizer", "the model's, to find stop strings", "none", "Pass tokenizer=.")
        check_strings(strings)
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


class Shown:
    """What may be shown of a text that is being written: nothing that may yet become a stop string, nor what follows
    one, nor itself.

    found  the stop string that ended the text, of several the one that begins first, the longest of these; or None.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        check_strings(strings)
        self.strings, self.held = tuple(strings), ""
        self.found: str | None = None

    def push(self, text: str) -> str:
        """Takes what was written; returns what of it, and of what was held back, can be shown."""
        if self.found is not None:
            return ""
        text = self.held + text
        places = [(text.find(string), -len(string), string) for string in self.strings if string in text]
        if places:
            end, _, self.found = min(places)
        else:  # the longest end that is the beginning of a stop string is held back
            end = next((i for i in range(len(text)) if any(s.startswith(text[i:]) for s in self.strings)), len(text))
        self.held = "" if places else text[end:]
        return text[:end]

    def finish(self) -> str:
        """What was held back, where the text has ended without a stop string."""
        held, self.held = self.held, ""
        return held


class ShownText:
    """A text as it is drawn, token by token, up to where it ends: no half of a character is shown, and nothing of what
    ends it.

    ids, strings  as of StopRule.
    ended         whether one of them has come.
    """

    def __init__(self, tokenizer: Any, ids: Sequence[int] = (), strings: Sequence[str] = ()) -> None:
        self.ids, self.ended = frozenset(ids), False
        self.stream, self.shown = tokenizer.stream_decoder(), Shown(strings)

    def push(self, token: int) -> str:
        """What can be shown once this token is drawn; what may be the beginning of a stop string is held back."""
        if token in self.ids:
            self.ended = True
            return self.finish()
        text = self.shown.push(self.stream.push(token))
        self.ended = self.shown.found is not None
        return text

    def finish(self) -> str:
        """What was held back and turned out to be text; U+FFFD for a character that was never completed."""
        return self.shown.push(self.stream.finish()) + self.shown.finish()
