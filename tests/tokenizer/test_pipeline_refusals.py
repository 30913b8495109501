"""What a tokenizer.json says and nobody here understands is refused by its name, with what is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizer_parts import LLAMA2, METASPACE, TEMPLATE, A, B, letters, mark, split

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.tokenizer import WordPieceTokenizer
from tinygrad_llm.tokenizer.tokenizer_json import from_tokenizer_json

GOLDENS = json.loads((Path(__file__).parents[1] / "goldens/tokenizers.json").read_text(encoding="utf-8"))["kinds"]
FIRST = METASPACE | {"prepend_scheme": "first"}


def unigram(**model):
    return {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]], **model}


@pytest.mark.parametrize(("parts", "words"), [
    ({"normalizer": {"type": "Nmt"}}, r"normalizer\.type: expected Sequence or Prepend .*got 'Nmt'"),
    ({"normalizer": {"type": "Strip", "strip_left": 1}}, "normalizer.strip_left: expected a bool"), ({"normalizer": {"type": "Prepend"}}, "prepend: expected a str"),
    ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]}}, r"normalizers\[1\]\.type"), ({"normalizer": {"type": "NFC", "form": 1}}, "normalizer.form"),
    ({"normalizer": {"type": "Replace", "pattern": {"Regex": "(a"}, "content": ""}}, "pattern: expected a regular"), ({"normalizer": {"type": "Replace", "pattern": "a", "content": ""}}, "pattern"),
    ({"normalizer": {"type": "Replace", "pattern": {"Regex": "a*"}, "content": ""}}, "matches something"), ({"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": ""}}, "pattern"),
    ({"pre_tokenizer": split("Isolated", pattern={"Regex": r"[\p{L}&&a]"})}, "every engine reads alike"), ({"pre_tokenizer": split("Isolated", pattern={"Regex": r"\h+"})}, "every engine"), ({"pre_tokenizer": split("Isolated", pattern={"Regex": r"\w+"})}, "every engine"), ({"pre_tokenizer": split("Isolated", pattern={"Regex": r"[^(\s|[.,])]+"})}, "every engine"), ({"pre_tokenizer": METASPACE | {"replacement": "__"}}, "replacement: expected one character"),
    ({"pre_tokenizer": split("Isolated", pattern={"Regex": "a", "String": "a"})}, "pattern"), ({"pre_tokenizer": split("Merged")}, "behavior: expected 'Isolated' or 'Removed'"),
    ({"pre_tokenizer": METASPACE | {"prepend_scheme": "last"}}, "prepend_scheme"), ({"pre_tokenizer": {"type": "Metaspace"}}, "replacement: expected a str"), ({"pre_tokenizer": []}, "pre_tokenizer"),
    ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [FIRST]}}, "prepend_scheme: expected always or never within a Sequence"), ({"pre_tokenizer": METASPACE | {"str_rep": "_"}}, "str_rep"),
    ({"pre_tokenizer": FIRST, "normalizer": {"type": "NFC"}}, "prepend_scheme: expected always or never beside a normalizer"), ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": {}}}, "pretokenizers"),
    ({"decoder": {"type": "WordPiece", "prefix": "##"}}, r"decoder\.type: expected Sequence or ByteLevel"), ({"decoder": None}, "decoder"), ({"decoder": {"type": "Strip", "content": " ", "start": 1, "stop": 0}}, "decoder.type"),
    ({"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}}, r"decoders\[1\]: expected nothing after Fuse"), ({"decoder": {"type": "Sequence", "decoders": LLAMA2["decoders"][2:] * 2}}, r"decoders\[1\]"),
    ({"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 2, "stop": 0}]}}, "start: expected 1 or 0"), ({"decoder": {"type": "Sequence", "decoders": [LLAMA2["decoders"][3]]}}, "type"),
    ({"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]}}, "stop"), ({"post_processor": {"type": "Other"}}, "post_processor.type: expected TemplateProcessing or"),
    ({"post_processor": TEMPLATE | {"single": [mark("</s>"), A]}}, r"single: expected texts A, special_tokens \['<s>', 'ss'\]"), ({"post_processor": TEMPLATE | {"single": [B]}}, "single"), ({"post_processor": TEMPLATE | {"pair": [3]}}, "pair"),
    ({"post_processor": TEMPLATE | {"single": [{"Sequence": {"id": "A"}}]}}, "single"), ({"post_processor": {"type": "Sequence", "processors": [TEMPLATE, TEMPLATE]}}, "one that puts marks"), ({"post_processor": TEMPLATE | {"single": [A | mark("<s>")]}}, "single"),
    ({"post_processor": {"type": "BertProcessing", "cls": ["c", 4], "sep": ["s"]}}, "post_processor.sep: expected a token and its id"), ({"post_processor": {"type": "BertProcessing", "cls": ["c", 1], "sep": ["s", 99]}}, "post_processor: expected ids from 0 to 29"),
    ({"post_processor": TEMPLATE | {"special_tokens": {"<s>": {"id": "<s>", "ids": ["1"], "tokens": []}}}}, r"special_tokens\.<s>\.ids"), ({"model": unigram(unk_id=None)}, "unk_id: expected a int"), ({"model": unigram(unk_id=2)}, "unk_id: expected an id of model.vocab, 0 to 1"),
    ({"model": unigram(vocab=[["a", "b"]])}, "pieces, each with its log-probability"), ({"model": unigram(vocab=[["<unk>", 0], ["<unk>", 0]])}, "each of one token"), ({"model": unigram(vocab=[["a", float("inf")]])}, "log-prob"), ({"model": unigram(more=1)}, "model.more"),
    ({"model": unigram(vocab={"a": 0})}, "vocab: expected a list"), ({"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}, "each of one token"), ({"model": {"type": "BPE", "vocab": {"a": 0, "b": 2}, "merges": []}}, "0, 1, 2"),
    ({"model": {"type": "BPE", "vocab": [["a", 0.0]], "merges": []}}, "vocab: expected a dict"), ({"model": {"type": "BPE", "vocab": {"a": "0"}, "merges": []}}, "vocab"), ({"model": {"type": "WordLevel", "vocab": {"a": 0}}}, "model.type: expected BPE or Unigram"),
    ({"added_tokens": [{"id": 1, "content": "a"}]}, "'a' with the id that model.vocab gives it, got 1"), ({"added_tokens": [{"id": 29, "content": "new"}]}, "each of one token"), ({"added_tokens": [{"content": "new"}]}, r"added_tokens\[0\].id: expected a int"),
])  # fmt: skip
def test_what_is_not_understood_is_refused_by_its_name(parts, words):
    with pytest.raises(CheckpointError, match=words):
        letters(**parts)


# -- BERT's ----------------------------------------------------------------------------------------------------------


def bert(path=(), value=None):
    document = json.loads(json.dumps(GOLDENS["bert"]["document"]))
    inside = document
    for part in path[:-1]:
        inside = inside[part]
    if path:
        inside[path[-1]] = value
    return from_tokenizer_json(document)


def test_bert_s_opens_as_wordpiece():
    assert type(bert()) is WordPieceTokenizer and bert().lowercase and bert().cleanup
    assert not bert(("normalizer", "lowercase"), False).lowercase
    assert not bert(("decoder", "cleanup"), False).cleanup and bert(("decoder",), None).cleanup
    assert list(bert().special) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert bert(("truncation",), {"max_length": 9}).encode("the " * 20) == bert().encode("the") * 20  # see encode_pair
    assert bert(("post_processor",), None).encode_pair("the")[0] == bert().encode_pair("the")[0]


def test_decoding_cleans_up_before_marks_where_it_is_asked_for():
    ids = bert().encode("the cat, the hat. the rat!")
    assert bert().decode(ids) == "the cat, the hat. the rat!"
    assert bert(("decoder", "cleanup"), False).decode(ids) == "the cat , the hat . the rat !"


@pytest.mark.parametrize(("path", "value", "words"), [
    (("normalizer", "clean_text"), False, "clean_text"), (("normalizer", "handle_chinese_chars"), False, "chinese"), (("normalizer", "strip_accents"), False, "strip_accents"),
    (("normalizer",), {"type": "NFC"}, "normalizer.type"), (("normalizer",), None, "normalizer"), (("pre_tokenizer",), {"type": "Whitespace"}, "pre_tokenizer.type"), (("model", "unk_token"), "?", "unk_token"),
    (("model", "continuing_subword_prefix"), "@@", "continuing"), (("model", "max_input_chars_per_word"), 200, "max_input"), (("decoder", "prefix"), "@@", "prefix"), (("decoder",), {"type": "Fuse"}, "decoder.type"),
    (("added_tokens", 4, "lstrip"), True, "added_tokens"), (("added_tokens", 4, "special"), False, "added_tokens"), (("post_processor", "sep", 1), 4, r"\[CLS\] A \[SEP\]"), (("more",), 1, "more"),
    (("model", "vocab", "the"), 0, "each of one token"),
])  # fmt: skip
def test_what_is_not_bert_s_is_refused_by_its_name(path, value, words):
    with pytest.raises(CheckpointError, match=words):
        bert(path, value)
