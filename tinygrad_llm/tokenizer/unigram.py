"""Unigram: of all ways to cut a word into pieces, the most probable, where each piece is drawn by itself.

    P(x) = product of p(x_i),    best cut = argmax over (x_1 … x_n) that spell the word of  sum of log p(x_i)

The pieces' log-probabilities are the vocabulary; they are learned by expectation and maximisation, which is not done
here. The best cut is found by Viterbi's algorithm, from the left to the right: with score(0) = 0,

    score(end) = max over pieces that end there of  score(end - its length) + log p(piece)

A character that is no piece costs ten nats more than the worst piece, and runs of them are one unknown token, or their
bytes where the vocabulary has them.
Source: Kudo, "Subword Regularization", 2018; SentencePiece's unigram_model.cc for the ten nats.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from tinygrad_llm.tokenizer.json_parts import options, refused

UNKNOWN_COSTS = 10.0


class Unigram:
    """`pieces`, each with its log-probability; a piece's id is its place.

    unk            id of the token for what no piece spells.
    byte_fallback  such a character is its bytes, <0x00> to <0xFF>, where all of them are pieces.
    special        pieces that no text is cut into.
    """

    def __init__(
        self, pieces: Sequence[tuple[str, float]], unk: int, *, byte_fallback: bool, special: Container[str] = ()
    ) -> None:
        self.unk, self.byte_fallback = unk, byte_fallback
        self.found = {piece: (i, score) for i, (piece, score) in enumerate(pieces) if piece not in special}
        self.longest = max(map(len, self.found), default=1)
        self.unknown_score = min(score for _, score in pieces) - UNKNOWN_COSTS

    def ids(self, word: str) -> list[int]:
        """The ids of the most probable cut; of equally probable ones that whose last piece is longest."""
        ids: list[int] = []
        unknown = ""
        for start, end, piece in self.best_cut(word):
            if piece == self.unk:
                unknown += word[start:end]
                continue
            ids += [*self._unknown(unknown), piece]
            unknown = ""
        return ids + self._unknown(unknown)

    def best_cut(self, word: str) -> list[tuple[int, int, int]]:
        """Start, end and id of each piece."""
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-float("inf"), 0, 0)] * len(word)
        for start in range(len(word)):
            here = best[start][0]
            for end in range(start + 1, min(len(word), start + self.longest) + 1):
                found = self.found.get(word[start:end])
                if found is None:
                    if end > start + 1:
                        continue
                    found = (self.unk, self.unknown_score)
                if here + found[1] > best[end][0]:
                    best[end] = (here + found[1], start, found[0])
        cut, end = [], len(word)
        while end > 0:
            _, start, piece = best[end]
            cut.append((start, end, piece))
            end = start
        return cut[::-1]

    def _unknown(self, text: str) -> list[int]:
        """The ids of characters that no piece spells."""
        if not text:
            return []
        if self.byte_fallback:
            found = [self.found.get(byte_piece(byte)) for byte in text.encode("utf-8")]
            if all(found):
                return [byte[0] for byte in found if byte]
        return [self.unk]


def byte_piece(byte: int) -> str:
    """10 -> <0x0A>."""
    return f"<0x{byte:02X}>"


def unigram_of(said: Mapping[str, Any], where: str, special: Container[str]) -> Unigram:
    """The model that tokenizer.json describes.  Raises CheckpointError for options that are not understood."""
    found = options(said, where, vocab=list, unk_id=int, byte_fallback=False)
    if not 0 <= found["unk_id"] < len(found["vocab"]):
        raise refused(f"{where}.unk_id", f"an id of model.vocab, 0 to {len(found['vocab']) - 1}", found["unk_id"])
    pieces = [(piece, float(score)) for piece, score in found["vocab"]]
    return Unigram(pieces, found["unk_id"], byte_fallback=found["byte_fallback"], special=special)
