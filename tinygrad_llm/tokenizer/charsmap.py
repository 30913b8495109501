"""SentencePiece's own table of characters, the `precompiled_charsmap` of T5's and XLM-R's files: what is written for a
character, or for a few that stand together as one. Most of it is NFKC, and all white space becomes a space.

The bytes are the length of a trie (32 bits, little-endian), the trie, and what it leads to: texts that end with a zero.
The trie is Aoe's double array as Darts writes it: units of 32 bits,

    bits 0–7   the byte that leads here        bit 8    does a key end here?        bit 31   this is a key's value
    bits 10–30 offset (bit 9: 256 times that)  base = place XOR offset, and the unit of byte c is at base XOR c

It is read into a dictionary once. Of the keys that a text begins with the shortest counts, as in tokenizers.
Source: Kudo and Richardson, "SentencePiece", 2018; Aoe, 1989, for double arrays.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from typing import Any

import numpy as np
import regex

from tinygrad_llm.tokenizer.json_parts import options, refused

_TOGETHER = regex.compile(r"\X")
LONGEST = 5
"""Bytes: characters that stand together and are longer are looked up one by one."""


class CharsMap:
    """The normalizer of a table: key -> what is written for it."""

    def __init__(self, table: dict[str, str]) -> None:
        self.table = table
        self.beginnings = {key[0] for key in table}

    def __call__(self, text: str) -> str:
        """The text with each key replaced."""
        if self.beginnings.isdisjoint(text):
            return text
        return "".join([self._written(together) for together in _TOGETHER.findall(text)])

    def _written(self, together: str) -> str:
        if len(together.encode("utf-8")) <= LONGEST:
            for end in range(1, len(together) + 1):
                if together[:end] in self.table:
                    return self.table[together[:end]]
        return "".join([self.table.get(character, character) for character in together])


def charsmap_of(said: Any, where: str) -> CharsMap:
    """The table that tokenizer.json holds in base 64.  Raises CheckpointError for one that is not whole."""
    name = f"{where}.precompiled_charsmap"
    text = options(said, where, precompiled_charsmap=str)["precompiled_charsmap"]
    try:
        content = base64.b64decode(text, validate=True)
        size = int.from_bytes(content[:4], "little")
        if not 4 <= size <= len(content) - 4 or size % 4:
            raise ValueError(f"a trie of {size} bytes in {len(content)}")
        return CharsMap(_read(np.frombuffer(content, "<u4", size // 4, 4).tolist(), content[4 + size :]))
    except (ValueError, IndexError, binascii.Error, UnicodeDecodeError) as error:
        raise refused(name, "SentencePiece's table of characters, whole", f"{error}") from error


def _read(units: list[int], texts: bytes) -> dict[str, str]:
    """Every key of the trie with its text.  Raises ValueError or IndexError where one leads nowhere."""
    children = defaultdict(list)
    for place, unit in enumerate(units):
        if not unit >> 31 and unit & 0xFF:
            children[place ^ (unit & 0xFF)].append(place)
    table, seen = {}, 0
    waiting = [(0, b"")]
    while waiting:
        place, key = waiting.pop()
        base = place ^ (units[place] >> 10) << ((units[place] & 1 << 9) >> 6)
        if units[place] >> 8 & 1:
            start = units[base] & 0x7FFFFFFF
            table[key.decode("utf-8")] = texts[start : texts.index(b"\0", start)].decode("utf-8")
        waiting += [(child, key + bytes((units[child] & 0xFF,))) for child in children[base]]
        seen += 1
        if seen > len(units):
            raise ValueError("a trie that runs in circles")
    if "" in table:
        raise ValueError("an empty key")
    return table
