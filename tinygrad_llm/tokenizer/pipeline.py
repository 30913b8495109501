"""The tokenizer that a tokenizer.json describes, part by part.

    text -> added tokens cut out -> normalized -> words -> the model's ids          (and a template puts marks around)

Two kinds have classes of their own, which can do more: byte-level BPE with GPT-2's pattern (`regex_bpe`) and BERT's
WordPiece (`wordpiece`). All others are this: Llama 2 and 3, Mistral, Qwen 2, T5, XLM-R …

What it cannot do: learn, and stream. A pattern may look ahead, a normal form may join: all of a stream is held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.added_tokens import AddedToken, AddedTokens, added_tokens_of
from tinygrad_llm.tokenizer.base import field
from tinygrad_llm.tokenizer.byte import utf8
from tinygrad_llm.tokenizer.decoders import decoder_of
from tinygrad_llm.tokenizer.json_parts import Builders, build, options, refused
from tinygrad_llm.tokenizer.normalizers import normalizer_of
from tinygrad_llm.tokenizer.post_processors import templates_of
from tinygrad_llm.tokenizer.pre_tokenizers import depends_on_place, pre_tokenizer_of
from tinygrad_llm.tokenizer.sentencepiece_bpe import bpe_of
from tinygrad_llm.tokenizer.special import SpecialTokens
from tinygrad_llm.tokenizer.unigram import unigram_of

CACHE_SIZE, CACHED_LENGTH = 1 << 20, 64


class Model(Protocol):
    """What cuts a word into tokens."""

    def ids(self, word: str) -> list[int]:
        """The ids of a word."""
        ...


class PipelineTokenizer(SpecialTokens):
    """Ids are those of the file.  `encode` puts no marks around a text; `encode_pair` does, as the template says."""

    kind = "pipeline"

    def __init__(self, document: Mapping[str, Any], name: str = "tokenizer.json") -> None:
        self.document = dict(document)
        options(
            document, name, version=("1.0", None), truncation=(None,), padding=(None,), added_tokens=object, model=dict,
            normalizer=object, pre_tokenizer=object, post_processor=object, decoder=object,
        )  # fmt: skip
        added = added_tokens_of(document.get("added_tokens", []), f"{name} added_tokens")
        model = document["model"]
        self.tokens = tokens_of(model, added, name)
        self.vocab_size = len(self.tokens)
        self._set_special({token.content: token.id for token in added if token.special})
        self.normalize = normalizer_of(document.get("normalizer"), f"{name} normalizer")
        for token in added:
            if token.normalized:  # it stands for its normalized form, which may hold the space before it
                self.tokens[token.id] = self.normalize(token.content)
        self._pre_tokenize = pre_tokenizer_of(document.get("pre_tokenizer"), f"{name} pre_tokenizer")
        if depends_on_place(document.get("pre_tokenizer")) and document.get("normalizer") is not None:
            raise refused(f"{name} pre_tokenizer.prepend_scheme", "always or never beside a normalizer", "first")
        self._decoder = decoder_of(document.get("decoder"), f"{name} decoder")
        self._templates = templates_of(document.get("post_processor"), f"{name} post_processor")
        for mark, _ in [*self._templates[0], *self._templates[1]]:
            if isinstance(mark, int) and not 0 <= mark < self.vocab_size:
                raise refused(f"{name} post_processor", f"ids from 0 to {self.vocab_size - 1}", mark)
        models: Builders[Model] = {
            "BPE": lambda said, where: bpe_of(said, where, self.special),
            "Unigram": lambda said, where: unigram_of(said, where, self.special),
        }
        self.model = build(models, model, f"{name} model")
        everyday = [token for token in added if not token.special]
        self._all, self._ordinary = self._finders(added), self._finders(everyday)
        self._cache: dict[str, list[int]] = {}

    def _finders(self, tokens: list[AddedToken]) -> tuple[AddedTokens, AddedTokens]:
        """What finds tokens in the text as it is, and in the normalized one."""
        return (
            AddedTokens(token for token in tokens if not token.normalized),
            AddedTokens((token for token in tokens if token.normalized), self.normalize),
        )

    def encode(self, text: str, allowed_special: Iterable[str] = ()) -> list[int]:
        """The ids of a text, without marks around it.  A special token's text is refused unless it is in
        `allowed_special`, also one that is there only after normalization."""
        allowed = frozenset(allowed_special)
        for _ in self._special_in(text, len(text), allowed, 0):
            pass  # it raises for one that is not allowed
        return self._ids(text, self._all, allowed)

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""
        return self._ids(text, self._ordinary, frozenset())

    def encode_stream(self, chunks: Iterable[str], allowed_special: Iterable[str] = ()) -> Iterator[int]:
        """The same ids as of the joined text: any later text may change any word, so all is held back."""
        yield from self.encode("".join(chunks), allowed_special)

    def encode_pair(self, first: str, second: str | None = None) -> tuple[list[int], list[int]]:
        """A text or two with the marks that the template puts around them, and for each id to which part it belongs."""
        texts = {"A": self.encode(first), "B": [] if second is None else self.encode(second)}
        template = self._templates[0 if second is None else 1]
        parts = [(texts[part] if isinstance(part, str) else [part], belongs) for part, belongs in template]
        return [i for ids, _ in parts for i in ids], [belongs for ids, belongs in parts for _ in ids]

    def _ids(self, text: str, finders: tuple[AddedTokens, AddedTokens], allowed: AbstractSet[str]) -> list[int]:
        utf8(text)
        ids: list[int] = []
        for part, at in finders[0].cut(text):
            if isinstance(part, AddedToken):
                ids.append(part.id)
                continue
            for piece, inside in finders[1].cut(self.normalize(part)):
                if not isinstance(piece, AddedToken):
                    for word in self._pre_tokenize(piece, at == 0 and inside == 0):
                        ids += self._word(word)
                elif piece.special and piece.content not in allowed:
                    got = f"{piece.content!r}, once what begins at position {at} is normalized"
                    raise TokenError("text", "ordinary text", got, "Pass allowed_special to mean the token.")
                else:
                    ids.append(piece.id)
        return ids

    def _word(self, word: str) -> list[int]:
        ids = self._cache.get(word)
        if ids is None:
            ids = self.model.ids(word)
            if len(word) <= CACHED_LENGTH and len(self._cache) < CACHE_SIZE:
                self._cache[word] = ids
        return ids

    def token_bytes(self, token: int) -> bytes:
        """What the decoder makes of the token inside of a text."""
        return self._decoder.bytes_of(self.tokens[self.check_id(token)])

    def first_bytes(self, token: int) -> bytes:
        """What it makes of a text's first token: often without the space before it."""
        return self._decoder.bytes_of(self.tokens[self.check_id(token)], first=True)

    def to_dict(self) -> dict[str, Any]:
        """The tokenizer.json itself."""
        return {"type": self.kind, "document": self.document}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> PipelineTokenizer:
        """See Tokenizer."""
        return cls(field(document, "document", dict))


def tokens_of(model: Mapping[str, Any], added: list[AddedToken], name: str) -> list[str]:
    """The token of each id.  Raises CheckpointError where ids are not 0, 1, 2 …, each of one token."""
    said = model.get("vocab")
    if isinstance(said, list):
        if not all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) and _is_number(p[1]) for p in said):
            raise refused(f"{name} model.vocab", "pieces, each with its log-probability", said)
        pairs = [(piece, i) for i, (piece, _) in enumerate(said)]
    elif isinstance(said, dict) and all(type(i) is int for i in said.values()):
        pairs = list(said.items())
    else:
        raise refused(f"{name} model.vocab", "ids of pieces, or pieces with log-probabilities", said)
    id_of = dict(pairs)
    for token in added:
        if id_of.setdefault(token.content, token.id) != token.id:
            raise refused(f"{name} added_tokens", f"{token.content!r} with the id that model.vocab gives it", token.id)
    tokens = {i: piece for piece, i in id_of.items()}
    if len(id_of) < len(pairs) or len(tokens) < len(id_of) or sorted(tokens) != list(range(len(tokens))):
        raise refused(
            f"{name} model.vocab", "with added_tokens the ids 0, 1, 2 …, each of one token", f"{len(tokens)} ids"
        )
    return [tokens[i] for i in range(len(tokens))]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < float("inf")
