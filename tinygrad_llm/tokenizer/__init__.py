"""Text into integers and back: tokenizers, each of which removes a limitation of the one before."""

from __future__ import annotations

import json
from pathlib import Path

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.files import read_regular
from tinygrad_llm.tokenizer.base import FILE_NAME, StreamDecoder, Tokenizer
from tinygrad_llm.tokenizer.bpe import BPETokenizer
from tinygrad_llm.tokenizer.byte import ByteTokenizer
from tinygrad_llm.tokenizer.char import CharTokenizer
from tinygrad_llm.tokenizer.hugging_face import from_tokenizer_json
from tinygrad_llm.tokenizer.regex_bpe import PATTERNS, RegexBPETokenizer
from tinygrad_llm.tokenizer.word import WordTokenizer

KINDS: dict[str, type[Tokenizer]] = {
    tokenizer.kind: tokenizer
    for tokenizer in (WordTokenizer, CharTokenizer, ByteTokenizer, BPETokenizer, RegexBPETokenizer)
}


def tokenizer_from_dict(document: object) -> Tokenizer:
    """The tokenizer that `to_dict()` described.  Raises CheckpointError for anything else."""
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(document, dict) or kind not in KINDS:
        raise CheckpointError("tokenizer type", " or ".join(KINDS), repr(kind), "Is it a tokenizer of this package?")
    return KINDS[kind].from_dict(document)


def load_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer in the folder or file `path`: what `save()` wrote, GPT-2's vocab.json and merges.txt, or Hugging
    Face's tokenizer.json.

    Raises CheckpointError for anything else, DataError for vocab.json and merges.txt that do not fit together.
    """
    path = Path(path)
    if not path.is_dir():
        return _from_json(path)
    if (path / FILE_NAME).exists():
        return _from_json(path / FILE_NAME)
    if (path / "vocab.json").exists() and (path / "merges.txt").exists():
        return RegexBPETokenizer.from_gpt2_files(path / "vocab.json", path / "merges.txt")
    if (path / "tokenizer.json").exists():
        return _from_json(path / "tokenizer.json")
    got = ", ".join(sorted(file.name for file in path.iterdir())[:8]) or "an empty folder"
    expected = f"{FILE_NAME}, vocab.json with merges.txt, or tokenizer.json"
    raise CheckpointError(str(path), expected, got, "Is it the whole tokenizer?")


def _from_json(file: Path) -> Tokenizer:
    content = read_regular(file, "a tokenizer in JSON")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(str(file), "a tokenizer in JSON", f"{error}", "Was the file altered?") from error
    if isinstance(document, dict) and "model" in document and "type" not in document:
        return from_tokenizer_json(document, str(file))
    return tokenizer_from_dict(document)


__all__ = [
    "PATTERNS",
    "BPETokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "RegexBPETokenizer",
    "StreamDecoder",
    "Tokenizer",
    "WordTokenizer",
    "load_tokenizer",
    "tokenizer_from_dict",
]
