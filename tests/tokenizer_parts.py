"""Parts of a tokenizer.json, and a tokenizer of letters to try them with."""

from __future__ import annotations

from tinygrad_llm.tokenizer.tokenizer_json import from_tokenizer_json

LLAMA2 = {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}  # fmt: skip
METASPACE = {"type": "Metaspace", "replacement": "▁"}


def mark(name):
    return {"SpecialToken": {"id": name, "type_id": 0}}


A, B = ({"Sequence": {"id": text, "type_id": i}} for i, text in enumerate("AB"))
TEMPLATE = {"type": "TemplateProcessing", "single": [mark("<s>"), A], "pair": [mark("<s>"), A, mark("ss"), B],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "ss": {"id": "ss", "ids": [1, 2], "tokens": ["<s>", "x"]}}}  # fmt: skip


def split(behavior, invert=False, pattern=None):
    return {"type": "Split", "pattern": pattern or {"String": "-"}, "behavior": behavior, "invert": invert}


def letters(*added, **parts):
    """A tokenizer with a token for each small letter, for - and the space, and added tokens, whose flags are letters."""
    vocabulary = {letter: i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz- <>")}
    names = {"s": "special", "w": "single_word", "l": "lstrip", "r": "rstrip", "n": "normalized"}
    tokens = [
        {"id": len(vocabulary) + i, "content": content, **{name: letter in flags for letter, name in names.items()}}
        for i, (content, flags) in enumerate(added)
    ]
    model = {"type": "BPE", "vocab": vocabulary, "merges": []}
    return from_tokenizer_json({"added_tokens": tokens, "decoder": {"type": "Fuse"}, "model": model, **parts})
