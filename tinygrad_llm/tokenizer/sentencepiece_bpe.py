"""Byte-pair encoding from characters on, as in the files of Llama 2 and Mistral; and from the letters that stand for
bytes, as in those of Llama 3 and Qwen 2, whose ids have any order.

A character that the vocabulary lacks is written as its bytes, <0x00> to <0xFF> (`byte_fallback`), or is unknown.
Source: Kudo and Richardson, "SentencePiece", 2018; Sennrich, Haddow and Birch, 2016.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.tokenizer.json_parts import options, refused
from tinygrad_llm.tokenizer.merges import Pair, apply_merges
from tinygrad_llm.tokenizer.unigram import byte_piece


class PieceBPE:
    """`vocabulary` gives each piece its id; `merges` are the pairs of pieces in the order learned.

    unk            what stands for an unknown character, or None: it is left out, as tokenizers does it.
    fuse_unk       unknown characters side by side are one token.
    byte_fallback  an unknown character is its bytes instead, where all 256 are in the vocabulary.
    ignore_merges  a word that is in the vocabulary is that token, whether merges lead to it or not.
    special        pieces that no text is cut into: what would lead to them is not merged.

    Raises CheckpointError for a merge of pieces that are not there, or that stands twice.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        unk: int | None = None,
        fuse_unk: bool = False,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
        special: Container[str] = (),
    ) -> None:
        self.id_of = {piece: i for piece, i in vocabulary.items() if piece not in special}
        self.unk, self.fuse_unk, self.ignore_merges = unk, fuse_unk, ignore_merges
        bytes_ = [self.id_of.get(byte_piece(byte)) for byte in range(256)]
        self.id_of_byte = [i for i in bytes_ if i is not None] if byte_fallback else []
        if len(self.id_of_byte) not in (0, 256):
            raise CheckpointError("model.vocab", "all of <0x00> to <0xFF>, or none", f"{len(self.id_of_byte)} of them")
        self.ranks: dict[Pair, tuple[int, int]] = {}
        for rank, (first, second) in enumerate(merges):
            missing = [piece for piece in (first, second, first + second) if piece not in vocabulary]
            pair = (vocabulary.get(first, -1), vocabulary.get(second, -1))
            if missing or pair in self.ranks:
                got = f"{first!r} with {second!r}, {missing[0]!r} missing" if missing else f"{first!r} twice"
                raise CheckpointError(f"model.merges[{rank}]", "two pieces of model.vocab that make a third, once", got)
            if not any(piece in special for piece in (first, second, first + second)):
                self.ranks[pair] = (rank, vocabulary[first + second])

    def ids(self, word: str) -> list[int]:
        """The characters' ids after all merges."""
        if self.ignore_merges and word in self.id_of:
            return [self.id_of[word]]
        ids: list[int] = []
        after_unknown = False
        for character in word:
            found = self.id_of.get(character)
            if found is not None:
                ids.append(found)
            elif self.id_of_byte:
                ids += [self.id_of_byte[byte] for byte in character.encode("utf-8")]
            elif self.unk is not None and not (self.fuse_unk and after_unknown):
                ids.append(self.unk)
            after_unknown = found is None
        return apply_merges(ids, self.ranks)


def bpe_of(said: Mapping[str, Any], where: str, special: Container[str]) -> PieceBPE:
    """The model that tokenizer.json describes.  Raises CheckpointError for options that are not understood."""
    found = options(
        said, where, vocab=dict, merges=list, unk_token=object, fuse_unk=False, byte_fallback=False,
        ignore_merges=False, dropout=(None, 0.0), continuing_subword_prefix=(None, ""), end_of_word_suffix=(None, ""),
    )  # fmt: skip
    vocabulary, unk = found["vocab"], found["unk_token"]
    if unk is not None and (not isinstance(unk, str) or unk not in vocabulary):
        raise refused(f"{where}.unk_token", "null or a token of model.vocab", unk)
    merges = []
    for i, row in enumerate(found["merges"]):
        pair = row.split(" ") if isinstance(row, str) else row
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(piece, str) for piece in pair)):
            raise refused(f"{where}.merges[{i}]", "two pieces", row)
        merges.append((pair[0], pair[1]))
    flags = {name: found[name] for name in ("fuse_unk", "byte_fallback", "ignore_merges")}
    return PieceBPE(vocabulary, merges, unk=None if unk is None else vocabulary[unk], special=special, **flags)
