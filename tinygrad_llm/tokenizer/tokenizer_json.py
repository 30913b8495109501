"""Hugging Face's tokenizer.json, which is all that transformers 5 saves of a tokenizer.

What means byte-level BPE with GPT-2's pattern opens as `RegexBPETokenizer`, BERT's as `WordPieceTokenizer`, and every
other BPE and Unigram as a `PipelineTokenizer`. What in a file would cut a text in another way than is known here is
refused by its name, with what is known.
Format: https://huggingface.co/docs/tokenizers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_llm.errors import CheckpointError, DataError
from tinygrad_llm.tokenizer.added_tokens import AddedToken, added_tokens_of
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.json_parts import options, refused
from tinygrad_llm.tokenizer.pipeline import PipelineTokenizer, tokens_of
from tinygrad_llm.tokenizer.post_processors import PLAIN, templates_of
from tinygrad_llm.tokenizer.regex_bpe import RegexBPETokenizer, merges_of_letters
from tinygrad_llm.tokenizer.wordpiece import GOES_ON, LONGEST_WORD, WordPieceTokenizer


def from_tokenizer_json(document: Mapping[str, Any], name: str = "tokenizer.json") -> Tokenizer:
    """The tokenizer that a tokenizer.json describes.

    Raises CheckpointError for what is not understood, and where ids are not 0, 1, 2 …, each of one token.
    """
    model = document.get("model")
    if isinstance(model, dict) and "type" not in model:  # so did earlier versions write it
        kind = "BPE" if "merges" in model else "Unigram" if "unk_id" in model else "WordPiece"
        document = {**document, "model": {"type": kind, **model}}
    if isinstance(model, dict) and document["model"]["type"] == "WordPiece":
        return _wordpiece(document, name)
    pipeline = PipelineTokenizer(document, name)
    return _gpt2(document) or pipeline


def _gpt2(document: Mapping[str, Any]) -> RegexBPETokenizer | None:
    """The same tokenizer by bytes, where the file says what GPT-2's does, and None where it says more."""
    model, words = document["model"], document.get("pre_tokenizer") or {}
    by_bytes = words.get("type") == "ByteLevel" == document["decoder"]["type"]
    by_bytes = by_bytes and words.get("add_prefix_space") is False and words.get("use_regex", True)
    plain = document.get("normalizer") is None and templates_of(document.get("post_processor")) == PLAIN
    added = added_tokens_of(document.get("added_tokens", []))
    if not (by_bytes and plain and _all_plain(added)) or model["type"] != "BPE" or model.get("ignore_merges"):
        return None
    special = {token.content: token.id for token in added}
    try:
        merges, ids = merges_of_letters([row if isinstance(row, str) else " ".join(row) for row in model["merges"]])
        same = model["vocab"] | special == ids | special
        return RegexBPETokenizer(merges, "gpt2", special) if same else None
    except (DataError, CheckpointError):  # merges that are not in order, or special tokens that do not come last
        return None


def _all_plain(added: list[AddedToken]) -> bool:
    """Are all of them special tokens that match as they stand?"""
    return all(t.special and not (t.single_word or t.lstrip or t.rstrip or t.normalized) for t in added)


def _wordpiece(document: Mapping[str, Any], name: str) -> WordPieceTokenizer:
    """BERT's: what is not as there is refused.  How long texts may be (truncation, padding) `encode_pair` is told."""
    options(
        document, name, version=("1.0", None), truncation=object, padding=object, added_tokens=object, model=dict,
        normalizer=dict, pre_tokenizer=dict, post_processor=object, decoder=object,
    )  # fmt: skip
    model = options(
        document["model"], f"{name} model", vocab=dict, unk_token=("[UNK]",), continuing_subword_prefix=(GOES_ON,),
        max_input_chars_per_word=(LONGEST_WORD,),
    )  # fmt: skip
    options(document["pre_tokenizer"], f"{name} pre_tokenizer", type=("BertPreTokenizer",))
    lowercase = document["normalizer"].get("lowercase", True)
    options(
        document["normalizer"], f"{name} normalizer", type=("BertNormalizer",), clean_text=(True,), lowercase=True,
        handle_chinese_chars=(True,), strip_accents=(None, lowercase),
    )  # fmt: skip
    cleanup = True
    if document.get("decoder") is not None:
        said = options(document["decoder"], f"{name} decoder", type=("WordPiece",), prefix=(GOES_ON,), cleanup=True)
        cleanup = said["cleanup"]
    added = added_tokens_of(document.get("added_tokens", []), f"{name} added_tokens")
    if not _all_plain(added):
        raise refused(f"{name} added_tokens", "special tokens that match as they stand", document["added_tokens"])
    special = [token.content for token in added]
    made = WordPieceTokenizer(tokens_of(model, added, name), lowercase=lowercase, special=special, cleanup=cleanup)
    cls, sep = (made.cls_id, 0), (made.sep_id, 0)
    one = [cls, ("A", 0), sep]
    if templates_of(document.get("post_processor"), f"{name} post_processor") not in (
        PLAIN, (one, [*one, ("B", 1), (made.sep_id, 1)]),
    ):  # fmt: skip
        raise refused(f"{name} post_processor", "[CLS] A [SEP] B [SEP]", document["post_processor"])
    return made
