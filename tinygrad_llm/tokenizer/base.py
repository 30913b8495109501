"""The interface of all tokenizers: text into integers, and back.

The files build on one another: word, char, byte, bpe, regex_bpe. Each names its limitation, which the next one removes.
"""

from __future__ import annotations

import codecs
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, StorageError, TokenError, reason

FILE_NAME = "tgl_tokenizer.json"
"""Not tokenizer.json, which is Hugging Face's and says other things."""


class Tokenizer(ABC):
    """Ids 0 .. vocab_size - 1, each with its bytes."""

    kind: str
    vocab_size: int

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of a text.  Raises TokenError for what the vocabulary lacks."""

    @abstractmethod
    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes of one token, which need not be whole characters.  Raises TokenError for an unknown id."""

    def first_bytes(self, token: int) -> bytes:
        """Those of a text's first token: some tokenizers write a space before a word that they drop there."""
        return self.token_bytes(token)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The tokenizer's data as JSON-compatible objects, with its kind under "type"."""

    @classmethod
    @abstractmethod
    def from_dict(cls, document: dict[str, Any]) -> Tokenizer:
        """The tokenizer that `to_dict` described."""

    def encode_array(self, text: str) -> np.ndarray:
        """The ids of a text as an int64 array."""
        return np.array(self.encode(text), dtype=np.int64)

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """The ids of the joined chunks, one after the other, the same as `encode` of the whole."""
        for chunk in chunks:
            yield from self.encode(chunk)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of the tokens, joined."""
        ids = iter(ids)
        first = [self.first_bytes(int(token)) for token in islice(ids, 1)]
        return b"".join(first + [self.token_bytes(int(token)) for token in ids])

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the tokens; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def stream_decoder(self, begun: bool = False) -> StreamDecoder:
        """Decodes token by token; an incomplete UTF-8 sequence is held back until it is complete.

        begun  the tokens go on with a text, such as a prompt: the first keeps the space before its word.
        """
        return StreamDecoder(self, begun)

    def check_id(self, token: int) -> int:
        """`token` where it is in the vocabulary, else TokenError."""
        if not 0 <= token < self.vocab_size:
            next_step = "Does the tokenizer belong to this model?"
            raise TokenError("token id", f"0 to {self.vocab_size - 1}", token, next_step)
        return token

    def save(self, path: str | Path) -> Path:
        """Writes tgl_tokenizer.json into the folder `path`, or the file `path`; returns the file."""
        path = Path(path)
        file = path / FILE_NAME if path.is_dir() else path
        try:
            file.write_text(json.dumps(self.to_dict(), ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise StorageError(
                str(file), "a place that can be written", reason(error), "Free space or choose another."
            ) from error
        return file


class StreamDecoder:
    """push(id) returns the text that is complete so far; finish() the rest."""

    def __init__(self, tokenizer: Tokenizer, begun: bool = False) -> None:
        self.tokenizer, self.begun = tokenizer, begun
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The characters that this token completes, perhaps none."""
        bytes_of = self.tokenizer.token_bytes if self.begun else self.tokenizer.first_bytes
        self.begun = True
        return self.decoder.decode(bytes_of(int(token)))

    def finish(self) -> str:
        """U+FFFD for a character that was never completed, else nothing."""
        return self.decoder.decode(b"", final=True)


def field(document: dict[str, Any], name: str, kind: type) -> Any:
    """document[name], which must be of `kind`; CheckpointError otherwise."""
    value = document.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise CheckpointError(f"tokenizer {name}", f"a {kind.__name__}", repr(value)[:60], "Was the file altered?")
    return value


def pairs_of(document: dict[str, Any], name: str) -> list[tuple[int, int]]:
    """document[name] as a list of pairs of whole numbers; CheckpointError otherwise."""
    pairs: Sequence[Any] = field(document, name, list)
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(i) is int for i in pair)):
            raise CheckpointError(f"tokenizer {name}", "pairs of ids", repr(pair)[:60], "Was the file altered?")
    return [(a, b) for a, b in pairs]
