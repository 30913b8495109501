"""WordPiece, BERT's tokenizer: words are cut from the left into the longest pieces that the vocabulary has.

A text is cleaned first (control characters out, accents and capitals too where `lowercase`), and cut at white space, at
each punctuation mark and around each Chinese character. A piece that goes on a word is written with ## before it.

What it cannot do: restore the text. White space, capitals and accents are lost, and a word with a character that the
vocabulary lacks becomes the unknown token as a whole. Byte-level BPE has no such token.
Source: Devlin et al., 2019, and google-research/bert's tokenization.py; Schuster and Nakajima, 2012, for the idea.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import regex

from tinygrad_llm.errors import ArgumentError, CheckpointError, DataError
from tinygrad_llm.files import read_regular
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.tokenizer.base import field
from tinygrad_llm.tokenizer.byte import utf8
from tinygrad_llm.tokenizer.special import SpecialTokens
from tinygrad_llm.tokenizer.wordpiece_training import GOES_ON, learn_pieces

UNKNOWN = "[UNK]"
SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
LONGEST_WORD = 100
"""A word with more characters is unknown, as in BERT's files: no vocabulary has it, and to search is quadratic."""

NO_SPACE_BEFORE = (".", "?", "!", ",")

_DROPPED = regex.compile(r"[\0\uFFFD]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]")
_SPACE = regex.compile(r"\p{White_Space}")
_CHINESE = regex.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    "\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f])"
)
_WORD = regex.compile(r"[\p{P}!-/:-@\[-`{-~]|[^\p{P}!-/:-@\[-`{-~\p{White_Space}]+")


def pieces_of(word: str, vocabulary: Container[str]) -> list[str]:
    """The longest piece that fits at the word's beginning, then the longest that goes on, and so forth.

    Unknown as a whole is a word in which somewhere no piece fits, and one of more than LONGEST_WORD characters.
    """
    if len(word) > LONGEST_WORD:
        return [UNKNOWN]
    pieces, start = [], 0
    while start < len(word):
        prefix = GOES_ON if start else ""
        for end in range(len(word), start, -1):
            piece = prefix + word[start:end]
            if piece in vocabulary:
                break
        else:
            return [UNKNOWN]
        pieces.append(piece)
        start = end
    return pieces


class WordPieceTokenizer(SpecialTokens):
    """Token i is piece i of `vocabulary`, which begins a word, or goes on with one where it begins with ##.

    lowercase  capitals and accents are taken away, as in BERT's uncased models.
    special    tokens that no text is cut into; the five of `SPECIAL` are needed.
    cleanup    decoding writes no space before . ? ! and a comma.

    Raises CheckpointError for a vocabulary that has a piece twice, or lacks a special token.
    """

    kind = "wordpiece"

    def __init__(
        self,
        vocabulary: Sequence[str],
        *,
        lowercase: bool = True,
        special: Sequence[str] = SPECIAL,
        cleanup: bool = False,
    ) -> None:
        self.vocabulary, self.lowercase, self.cleanup = list(vocabulary), lowercase, cleanup
        self.vocab_size = len(self.vocabulary)
        self.id_of = {piece: i for i, piece in enumerate(self.vocabulary)}
        missing = [token for token in dict.fromkeys([*SPECIAL, *special]) if token not in self.id_of]
        if len(self.id_of) != self.vocab_size or missing:
            wanted = "each piece once, and the special tokens among them"
            raise CheckpointError("vocabulary", wanted, f"no {', '.join(missing)}" if missing else "one twice")
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (self.id_of[token] for token in SPECIAL)
        self._set_special({token: self.id_of[token] for token in special})
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def from_vocab_txt(cls, path: str | Path, *, lowercase: bool = True) -> WordPieceTokenizer:
        """BERT's vocab.txt: a piece a line.  Raises CheckpointError where it is not one."""
        try:
            lines = read_regular(path, "vocab.txt").decode("utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise CheckpointError(str(path), "UTF-8, a piece a line", f"{error}") from error
        return cls([line.rstrip("\r") for line in (lines[:-1] if not lines[-1] else lines)], lowercase=lowercase)

    @classmethod
    def train(
        cls,
        text: str,
        vocab_size: int,
        *,
        lowercase: bool = True,
        special: Sequence[str] = SPECIAL,
        min_frequency: int = 2,
        letters: int | None = None,
        score: str = "likelihood",
    ) -> WordPieceTokenizer:
        """Learns pieces from the words of `text` until there are `vocab_size` tokens, special ones and letters among
        them, or no two pieces meet `min_frequency` times; see `wordpiece_training` for the two scores.

        letters  how many different letters are kept, the most frequent; a word with another one is unknown.

        A special token's text is a border, as between two texts.
        Raises DataError for a text without words, ArgumentError for a vocabulary without room for the letters.
        """
        check_whole(vocab_size=vocab_size, min_frequency=min_frequency, letters=1 if letters is None else letters)
        empty = cls([*dict.fromkeys([*SPECIAL, *special])], lowercase=lowercase, special=special)
        words = Counter(word for part in empty.between_special(text) for word in empty.words(part))
        if not words:
            raise DataError("text", "at least one word", repr(text)[:60])
        pieces = learn_pieces(
            words, vocab_size, special=empty.vocabulary, min_frequency=min_frequency, letters=letters, score=score
        )
        return cls(pieces, lowercase=lowercase, special=special)

    def normalized(self, text: str) -> str:
        """The text without control characters, with a space for each white space and around each Chinese character,
        and where `lowercase` without accents and capitals."""
        if text.isascii() and text.isprintable():
            return text.lower() if self.lowercase else text
        text = _CHINESE.sub(r" \1 ", _SPACE.sub(" ", _DROPPED.sub("", text)))
        if not self.lowercase:
            return text
        bare = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        return "".join(c.lower() for c in bare)  # each by itself: at a word's end a sigma keeps its form

    def words(self, text: str) -> list[str]:
        """The words of the normalized text; each punctuation mark is one."""
        return _WORD.findall(self.normalized(text))

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""
        return [i for word in self.words(text) for i in self._pieces(word)]

    def encode_pair(self, first: str, second: str | None = None, longest: int | None = None) -> tuple[list[int], list]:
        """[CLS] first [SEP] second [SEP] as ids, and for each to which text it belongs, 0 or 1.

        longest  of the result: the longer of the two texts is cut at its end, one token after another, until it fits.
        """
        a, b = self.encode(first), [] if second is None else self.encode(second)
        marks = 2 if second is None else 3
        if longest is not None and longest < marks:
            raise ArgumentError("longest", f"at least the {marks} marks", longest)
        while longest is not None and len(a) + len(b) + marks > longest:
            (a if len(a) > len(b) else b).pop()
        ids = [self.cls_id, *a, self.sep_id]
        rest = [] if second is None else [*b, self.sep_id]
        return ids + rest, [0] * len(ids) + [1] * len(rest)

    def _pieces(self, word: str) -> list[int]:
        ids = self._cache.get(word)
        if ids is None:
            ids = [self.id_of[piece] for piece in pieces_of(word, self.id_of)]
            if len(self._cache) < 1 << 20:
                self._cache[word] = ids
        return ids

    def certain(self, text: str) -> tuple[list[int], int]:
        """All before the last white space, after which a word may go on."""
        end = max(0, text.rfind(" "), text.rfind("\n"))
        return self.encode_ordinary(text[:end]), end

    def token_bytes(self, token: int) -> bytes:
        """A piece that goes on a word as it is, any other with a space before it, unless `cleanup` takes it away."""
        piece = self.vocabulary[self.check_id(token)]
        if piece.startswith(GOES_ON) and len(piece) > len(GOES_ON):
            return utf8(piece[len(GOES_ON) :])
        return utf8(piece if self.cleanup and piece in NO_SPACE_BEFORE else f" {piece}")

    def first_bytes(self, token: int) -> bytes:
        """Without the space."""
        return self.token_bytes(token).removeprefix(b" ")

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary, and how texts are cleaned and put together again."""
        return {
            "type": self.kind,
            "vocabulary": self.vocabulary,
            "lowercase": self.lowercase,
            "cleanup": self.cleanup,
            "special": list(self.special),
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> WordPieceTokenizer:
        """See Tokenizer."""
        vocabulary, special = field(document, "vocabulary", list), field(document, "special", list)
        if not all(isinstance(piece, str) for piece in [*vocabulary, *special]):
            raise CheckpointError("tokenizer", "a vocabulary of pieces", repr(document)[:60])
        cleanup = field({"cleanup": False, **document}, "cleanup", bool)  # earlier files do not say it
        return cls(vocabulary, lowercase=field(document, "lowercase", bool), special=special, cleanup=cleanup)
