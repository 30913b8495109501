"""Byte-pair encoding: bytes, and tokens made by repeatedly joining the most frequent pair.

Limitation: merges cross word boundaries, so "e t" and ". The" become tokens.
"""

from __future__ import annotations

from typing import Any

from tinygrad_llm.errors import ArgumentError, CheckpointError, DataError
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.tokenizer.base import Tokenizer, pairs_of
from tinygrad_llm.tokenizer.byte import utf8
from tinygrad_llm.tokenizer.merges import Draws, Pair, Vocabulary, apply_merges, apply_merges_plainly, learn_merges

BYTES = [bytes((i,)) for i in range(256)]


class BPETokenizer(Tokenizer):
    """Ids 0 .. 255 are bytes; each merge, in the order learned, has the next id."""

    kind = "bpe"

    def __init__(self, merges: list[Pair], tokens: list[bytes] = BYTES) -> None:
        vocabulary = Vocabulary(tokens)
        self.merges = merges
        self.ranks: dict[Pair, tuple[int, int]] = {}
        for rank, pair in enumerate(merges):
            if not all(0 <= i < len(vocabulary.tokens) for i in pair) or pair in self.ranks:
                raise CheckpointError(f"merge {rank}", "two earlier ids, each pair once", pair, "Was the file altered?")
            self.ranks[pair] = (rank, vocabulary.merged(pair))
        self.tokens, self.id_of = vocabulary.tokens, vocabulary.id_of
        self.vocab_size = len(self.tokens)
        self.id_of_byte = [self.id_of[byte] for byte in BYTES]

    @classmethod
    def train(cls, text: str, vocab_size: int, *, min_frequency: int = 1) -> BPETokenizer:
        """Learns merges from `text` until there are `vocab_size` tokens, or no pair occurs `min_frequency` times."""
        check_training(text, vocab_size, min_frequency)
        return cls(learn_merges({tuple(utf8(text)): 1}, BYTES, vocab_size, min_frequency))

    def encode(self, text: str) -> list[int]:
        """Bytes, then all merges in the order learned."""
        return self.encode_word(utf8(text))

    def encode_word(self, word: bytes) -> list[int]:
        """The ids of some bytes as one word."""
        return apply_merges([self.id_of_byte[byte] for byte in word], self.ranks)

    def encode_with_dropout(self, text: str, dropout: float, rng: Draws) -> list[int]:
        """One of the ways to spell a text: before each merge, each pair that could be merged is left out with
        probability `dropout`.  0 gives the ids of `encode`, 1 bytes.  Nothing in the text is special.

        Source: Provilkov, Emelianenko and Voita, "BPE-Dropout", 2020.  Raises ArgumentError for no probability.
        """
        if not 0 <= dropout <= 1:
            raise ArgumentError("dropout", "a probability, 0 to 1", dropout)
        words = ([self.id_of_byte[byte] for byte in utf8(word)] for word in self.words(text))
        return [i for word in words for i in apply_merges_plainly(word, self.ranks, dropout, rng)]

    def words(self, text: str) -> list[str]:
        """The parts of a text that no merge joins: here the whole is one."""
        return [text]

    def encode_stream(self, chunks):
        """The same ids as of the joined text; any later text may change any merge, so all is held back."""
        yield from self.encode("".join(chunks))

    def token_bytes(self, token: int) -> bytes:
        """The token's bytes."""
        return self.tokens[self.check_id(token)]

    def to_dict(self) -> dict[str, Any]:
        """The merges."""
        return {"type": self.kind, "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> BPETokenizer:
        """See Tokenizer."""
        return cls(pairs_of(document, "merges"))


def check_training(text: str, vocab_size: int, min_frequency: int = 1) -> None:
    """Raises DataError for an empty text, ArgumentError for a vocabulary without room for the bytes or no frequency."""
    if not text:
        raise DataError("text", "at least one character", "an empty text")
    if vocab_size < 256:
        raise ArgumentError("vocab_size", "at least 256, one token a byte", vocab_size)
    check_whole(vocab_size=vocab_size, min_frequency=min_frequency)
