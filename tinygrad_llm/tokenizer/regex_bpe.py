"""Byte-pair encoding within words, as GPT-2 and GPT-4 do it.

A pattern splits the text into words first, and no merge crosses a boundary. A word keeps the space before it, so
"Hello" and " Hello" are different words with different tokens. Special tokens mark what is not text: the end of a
document, the speaker of a turn.

Limitation: it does not know the structure of a conversation. For that there is a chat template.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import regex

from tinygrad_llm.errors import ArgumentError, CheckpointError, DataError
from tinygrad_llm.files import read_regular
from tinygrad_llm.tokenizer.base import field, pairs_of
from tinygrad_llm.tokenizer.bpe import BPETokenizer, check_training
from tinygrad_llm.tokenizer.byte import utf8
from tinygrad_llm.tokenizer.merges import Pair, learn_merges
from tinygrad_llm.tokenizer.special import SpecialTokens

PATTERNS = {
    # contractions, then letters, digits or other signs with the space before them, then what space is left
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    # contractions in any case, at most three digits together, line ends kept with the signs before them
    "gpt4": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


def ascii_twin(pattern: str) -> str:
    """The same pattern for ASCII text, in the syntax of Python's own `re`, which is twice as fast as `regex`."""
    inside = {r"\p{L}": "A-Za-z", r"\p{N}": "0-9", r"\s": r" \t-\r"}
    parts = regex.split(r"(\[[^\]]*\])", pattern)  # every second part is a class
    for i, part in enumerate(parts):
        if i % 2 == 0:
            part = part.replace(r"\S", r"[^ \t-\r]")
        for name, letters in inside.items():
            part = part.replace(name, letters if i % 2 else f"[{letters}]")
        parts[i] = part
    return "".join(parts)


ASCII_PATTERNS = {name: re.compile(ascii_twin(pattern)) for name, pattern in PATTERNS.items()}

_PRINTED = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
BYTE_ORDER = _PRINTED + [byte for byte in range(256) if byte not in set(_PRINTED)]
"""The byte of each id below 256: GPT-2 gives the first ids to bytes that can be printed, in Latin-1's order."""
BYTE_LETTERS = {chr(byte if i < len(_PRINTED) else 256 + i - len(_PRINTED)): byte for i, byte in enumerate(BYTE_ORDER)}
"""The byte of each letter that GPT-2's files write for one: its own where that can be printed, else a later one."""
BYTE_TOKENS = [bytes((byte,)) for byte in BYTE_ORDER]
CACHE_SIZE = 1 << 20
THE_FILES = "Get them with: tgl data get gpt2-encoder, tgl data get gpt2-merges"


class WordCache(dict):
    """A cache of the ids of words, up to a million; a word that is not in it is encoded."""

    def __init__(self, tokenizer: RegexBPETokenizer) -> None:
        self.tokenizer = tokenizer

    def __missing__(self, word: str) -> list[int]:
        ids = self.tokenizer.encode_word(utf8(word))
        if len(self) < CACHE_SIZE:
            self[word] = ids
        return ids


class RegexBPETokenizer(SpecialTokens, BPETokenizer):
    """Ids 0 .. 255 are bytes in GPT-2's order, then the merges, then the special tokens (by the ids given)."""

    kind = "regex_bpe"

    def __init__(self, merges: list[Pair], pattern: str = "gpt2", special: Mapping[str, int] | None = None) -> None:
        super().__init__(merges, BYTE_TOKENS)
        try:
            self._words = regex.compile(PATTERNS.get(pattern, pattern))
        except regex.error as error:
            raise ArgumentError(
                "pattern", "'gpt2', 'gpt4' or a regular expression", repr(pattern), f"{error}."
            ) from error
        self._ascii_words = ASCII_PATTERNS.get(pattern)
        self.pattern = pattern
        self._set_special(special or {})
        for text, token in sorted(self.special.items(), key=lambda item: item[1]):
            if token != self.vocab_size or not text:
                raise CheckpointError("special token", f"a text, and the next free id {self.vocab_size}", (text, token))
            self.tokens.append(text.encode("utf-8"))
            self.vocab_size += 1
        self._cache = WordCache(self)

    @classmethod
    def train(
        cls, text: str, vocab_size: int, pattern: str = "gpt2", special: Iterable[str] = (), *, min_frequency: int = 1
    ) -> RegexBPETokenizer:
        """Learns merges inside the words of `text`; `vocab_size` counts bytes, merges and special tokens.

        It ends where no pair occurs `min_frequency` times, each word counted as often as it occurs.
        A special token's text in it is a border, as between two texts: its letters are not learned from.
        """
        special = list(special)
        check_training(text, vocab_size - len(special), min_frequency)
        empty = cls([], pattern, {text: 256 + i for i, text in enumerate(special)})
        parts = empty.between_special(text)
        if not any(parts):
            raise DataError("text", "more than special tokens", repr(text)[:60])
        counted = Counter(chain.from_iterable(map(empty.words, parts)))
        words = {tuple(empty.id_of_byte[byte] for byte in utf8(word)): count for word, count in counted.items()}
        merges = learn_merges(words, BYTE_TOKENS, vocab_size - len(special), min_frequency)
        size = cls(merges, pattern).vocab_size
        return cls(merges, pattern, {text: size + i for i, text in enumerate(special)})

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""
        return list(chain.from_iterable(map(self._cache.__getitem__, self.words(text))))

    def words(self, text: str) -> list[str]:
        """The text split into words by the pattern."""
        pattern = self._ascii_words if self._ascii_words is not None and text.isascii() else self._words
        return pattern.findall(text)

    def certain(self, text: str) -> tuple[list[int], int]:
        """The first words of `text`, those that are the same whatever follows.

        GPT-2's and GPT-4's patterns choose a word by the space after it, the character after that, and at most two
        characters after the word itself (the apostrophe of 're): all are there where a word ends before the last
        character that is no space. Of another pattern nothing is known, so all is held back.
        """
        ids: list[int] = []
        end, last = 0, len(text.rstrip()) - 1
        for found in self._words.finditer(text) if self.pattern in PATTERNS else ():
            if found.end() >= last:
                break
            ids += self._cache[found.group()]
            end = found.end()
        return ids, end

    @classmethod
    def from_gpt2_files(cls, encoder_json: str | Path, vocab_bpe: str | Path) -> RegexBPETokenizer:
        """GPT-2's tokenizer from its two published files.  Raises DataError where they are not what they should be."""
        try:
            encoder = json.loads(read_regular(encoder_json, "encoder.json").decode("utf-8"))
            lines = read_regular(vocab_bpe, "vocab.bpe").decode("utf-8").split("\n")
        except CheckpointError as error:
            raise DataError(error.name, error.expected, error.got, THE_FILES) from error
        except (ValueError, RecursionError) as error:
            raise DataError("GPT-2's files", "encoder.json and vocab.bpe", f"{error}", THE_FILES) from error
        merges, ids = merges_of_letters([line for line in lines if line and not line.startswith("#version")])
        special = {"<|endoftext|>": len(ids)}
        if encoder != ids | special:
            raise DataError("encoder.json", "the ids that vocab.bpe's merges give", "others", "Are both of one model?")
        return cls(merges, "gpt2", special)

    def to_dict(self) -> dict[str, Any]:
        """Merges, pattern and special tokens."""
        return super().to_dict() | {"pattern": self.pattern, "special": self.special}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> RegexBPETokenizer:
        """See Tokenizer."""
        special = field(document, "special", dict)
        if not all(type(token) is int for token in special.values()):
            raise CheckpointError("tokenizer special", "a whole number a token", repr(special)[:60])
        return cls(pairs_of(document, "merges"), field(document, "pattern", str), special)


def merges_of_letters(rows: Iterable[str]) -> tuple[list[Pair], dict[str, int]]:
    """The merges that rows "he llo" spell in GPT-2's letters for bytes, and the id of every token so spelled.

    Raises DataError for a row that joins what is not there yet.
    """
    ids = {letter: BYTE_ORDER.index(byte) for letter, byte in BYTE_LETTERS.items()}
    merges = []
    for row in rows:
        first, _, second = row.partition(" ")
        if first not in ids or second not in ids:
            raise DataError("vocab.bpe", "merges of earlier tokens", repr(row)[:60])
        merges.append((ids[first], ids[second]))
        ids.setdefault(first + second, len(ids))
    return merges, ids
