"""Text into integers and back: tokenizers, each of which removes a limitation of the one before."""

from __future__ import annotations

from pathlib import Path

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.files import load_json
from tinygrad_llm.tokenizer.base import FILE_NAME, StreamDecoder, Tokenizer, field
from tinygrad_llm.tokenizer.bpe import BPETokenizer
from tinygrad_llm.tokenizer.byte import ByteTokenizer
from tinygrad_llm.tokenizer.char import CharTokenizer
from tinygrad_llm.tokenizer.chat import CHATML, LLAMA_3, PLAIN, TEMPLATES, ChatTemplate
from tinygrad_llm.tokenizer.extended import ExtendedTokenizer
from tinygrad_llm.tokenizer.pipeline import PipelineTokenizer
from tinygrad_llm.tokenizer.regex_bpe import PATTERNS, RegexBPETokenizer
from tinygrad_llm.tokenizer.tokenizer_json import from_tokenizer_json
from tinygrad_llm.tokenizer.word import WordTokenizer
from tinygrad_llm.tokenizer.wordpiece import WordPieceTokenizer

MOST_JSON = 64 << 20
"""Bytes: a vocabulary of a quarter of a million pieces has half as many."""
KINDS: dict[str, type[Tokenizer]] = {
    tokenizer.kind: tokenizer
    for tokenizer in (
        WordTokenizer, CharTokenizer, ByteTokenizer, BPETokenizer, RegexBPETokenizer, WordPieceTokenizer,
        PipelineTokenizer, ExtendedTokenizer,
    )
}  # fmt: skip


def tokenizer_from_dict(document: object) -> Tokenizer:
    """The tokenizer that `to_dict()` described.  Raises CheckpointError for anything else."""
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(document, dict) or kind not in KINDS:
        raise CheckpointError("tokenizer type", " or ".join(KINDS), repr(kind), "Is it a tokenizer of this package?")
    return KINDS[kind].from_dict(document)


def load_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer in the folder or file `path`: what `save()` wrote, Hugging Face's tokenizer.json, GPT-2's
    vocab.json and merges.txt, or BERT's vocab.txt (with `do_lower_case` in tokenizer_config.json where there is one).

    Raises CheckpointError for anything else, DataError for vocab.json and merges.txt that do not fit together.
    """
    path = Path(path)
    if path.name == "vocab.txt":
        return WordPieceTokenizer.from_vocab_txt(path, lowercase=_lowercase(path.parent))
    if not path.is_dir():
        return _from_json(path)
    if (path / FILE_NAME).exists():
        return _from_json(path / FILE_NAME)
    if (path / "tokenizer.json").exists():  # it says more than the others
        return _from_json(path / "tokenizer.json")
    if (path / "vocab.json").exists() and (path / "merges.txt").exists():
        return RegexBPETokenizer.from_gpt2_files(path / "vocab.json", path / "merges.txt")
    if (path / "vocab.txt").exists():
        return WordPieceTokenizer.from_vocab_txt(path / "vocab.txt", lowercase=_lowercase(path))
    got = ", ".join(sorted(file.name for file in path.iterdir())[:8]) or "an empty folder"
    expected = f"{FILE_NAME}, vocab.json with merges.txt, tokenizer.json, or vocab.txt"
    raise CheckpointError(str(path), expected, got, "Is it the whole tokenizer?")


def _lowercase(path: Path) -> bool:
    """What tokenizer_config.json says of capitals: true where nothing is said, as in transformers."""
    file = path / "tokenizer_config.json"
    said = load_json(file) if file.exists() else {}
    return field({"do_lower_case": True, **said}, "do_lower_case", bool)


def _from_json(file: Path) -> Tokenizer:
    document = load_json(file, "a tokenizer in JSON", MOST_JSON)
    if "model" in document and "type" not in document:
        return from_tokenizer_json(document, str(file))
    return tokenizer_from_dict(document)


__all__ = [
    "CHATML",
    "LLAMA_3",
    "PATTERNS",
    "PLAIN",
    "TEMPLATES",
    "BPETokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "ChatTemplate",
    "ExtendedTokenizer",
    "PipelineTokenizer",
    "RegexBPETokenizer",
    "StreamDecoder",
    "Tokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "load_tokenizer",
    "tokenizer_from_dict",
]
