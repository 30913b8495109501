"""Hugging Face's tokenizer.json, where it says what ours do: byte-level BPE with GPT-2's pattern.

It is all that transformers 5 saves of a tokenizer. What in it would cut a text in another way is refused by its name.
Format: https://huggingface.co/docs/tokenizers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_llm.errors import CheckpointError, DataError
from tinygrad_llm.tokenizer.base import field
from tinygrad_llm.tokenizer.regex_bpe import RegexBPETokenizer, merges_of_letters

ACCEPTED: dict[str, dict[str, tuple]] = {
    "": {"normalizer": (None,), "truncation": (None,), "padding": (None,)},
    "model": {
        "type": ("BPE",), "dropout": (None, 0.0), "ignore_merges": (None, False), "byte_fallback": (None, False),
        "continuing_subword_prefix": (None, ""), "end_of_word_suffix": (None, ""),
    },
    "pre_tokenizer": {"type": ("ByteLevel",), "add_prefix_space": (False,), "use_regex": (None, True)},
    "decoder": {"type": ("ByteLevel",)},
    "post_processor": {"type": ("ByteLevel", "TemplateProcessing"), "special_tokens": (None, {})},
}  # fmt: skip
"""For each part and key what means GPT-2's tokenizer; None is also a key that is not there."""


def from_tokenizer_json(document: Mapping[str, Any], name: str = "tokenizer.json") -> RegexBPETokenizer:
    """The tokenizer that a tokenizer.json describes.

    Raises CheckpointError for another kind, and where its ids are not bytes in GPT-2's order, merges, special tokens.
    """
    for part, keys in ACCEPTED.items():
        said = document if not part else document.get(part)
        if part == "post_processor" and said is None:
            continue
        for key, accepted in keys.items():
            value = said.get(key) if isinstance(said, Mapping) else said
            if value not in accepted or (isinstance(value, int) and not isinstance(value, bool)):
                next_step = "Only byte-level BPE with GPT-2's pattern opens here."
                raise CheckpointError(f"{name} {part}.{key}".replace(" .", " "), accepted, repr(value)[:60], next_step)
    special = {}
    for token in field({"added_tokens": [], **document}, "added_tokens", list):
        content = _special(token, name)
        special[content] = token["id"]
    model = dict(document["model"])
    vocabulary, rows = field(model, "vocab", dict), field(model, "merges", list)
    try:
        merges, ids = merges_of_letters([row if isinstance(row, str) else " ".join(row) for row in rows])
    except (DataError, TypeError) as error:
        raise CheckpointError(f"{name} merges", "merges of earlier tokens", f"{error}"[:200]) from error
    if vocabulary | special != ids | special or ids.keys() & special.keys():
        expected = "the ids that GPT-2 gives: bytes in its order, then merges, then special tokens"
        raise CheckpointError(f"{name} vocab", expected, "others", "Keep the ids together with the model: use its own.")
    return RegexBPETokenizer(merges, "gpt2", special)


def _special(token: Any, name: str) -> str:
    """The text of an added token, which must be special and match as it stands."""
    plain = isinstance(token, dict) and not any(token.get(key) for key in ("single_word", "lstrip", "rstrip"))
    whole = plain and isinstance(token.get("content"), str) and type(token.get("id")) is int
    if not whole or token.get("special") is not True:
        raise CheckpointError(f"{name} added_tokens", "special tokens that match as they stand", repr(token)[:90])
    return token["content"]
