"""What opens from a tokenizer.json gives the ids, and the text, that tokenizers gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tokenizer_kinds import ANYTHING, KINDS, LLAMA3, MARK, random_text

from tinygrad_llm.tokenizer import load_tokenizer
from tinygrad_llm.tokenizer.tokenizer_json import from_tokenizer_json

pytestmark = pytest.mark.oracle


def agree(name, count, seed):
    other, rng = KINDS[name](), np.random.default_rng(seed)
    ours = from_tokenizer_json(json.loads(other.to_str()))
    for _ in range(max(1, count // 1000)):
        texts = [random_text(rng) for _ in range(min(count, 1000))]
        for text, found in zip(texts, other.encode_batch(texts, add_special_tokens=False)):
            ids = ours.encode(text, ours.special)
            assert ids == found.ids, (name, text, [other.id_to_token(i) for i in ids], found.tokens)
            decoded = other.decode(ids, skip_special_tokens=False)
            assert ours.decode(ids) == decoded, (name, text)
            stream = ours.stream_decoder()
            assert "".join([*map(stream.push, ids), stream.finish()]) == decoded
        getattr(ours, "_cache", {}).clear()


@pytest.mark.parametrize("name", KINDS)
def test_random_texts_have_the_ids_and_the_text_of_tokenizers(name):
    agree(name, 1000, 0)


@pytest.mark.long
@pytest.mark.parametrize("name", KINDS)
def test_a_million_random_texts_have_the_ids_and_the_text_of_tokenizers(name):
    agree(name, 1_000_000 // len(KINDS), 1)


# -- the parts by themselves, and put together at random --------------------------------------------------------------

NORMALIZERS = [
    *({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")),
    *({"type": "Strip", "strip_left": left, "strip_right": right} for left in (True, False) for right in (True, False)),
    {"type": "Prepend", "prepend": MARK}, {"type": "Replace", "pattern": {"String": " "}, "content": MARK},
    {"type": "Replace", "pattern": {"Regex": " {2,}|\\p{N}"}, "content": r"\1"}, {"type": "Replace", "pattern": {"String": "."}, "content": ""},
]  # fmt: skip
BEHAVIORS = ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PRE_TOKENIZERS = [
    *({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
      for pattern in ({"Regex": LLAMA3}, {"String": " "}, {"Regex": "[ce.]"}, {"Regex": r"\d+|\S[\p{Lu}\p{M}]"}) for behavior in BEHAVIORS for invert in (False, True)),
    *({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS),
    *({"type": "Digits", "individual_digits": single} for single in (False, True)),
    *({"type": "Metaspace", "replacement": sign, "prepend_scheme": scheme, "split": cut}
      for sign in (MARK, ".") for scheme in ("always", "first", "never") for cut in (True, False)),
    {"type": "Metaspace", "replacement": MARK, "add_prefix_space": True}, {"type": "WhitespaceSplit"}, {"type": "Whitespace"},
    *({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": cut} for prefix in (True, False) for cut in (True, False)),
]  # fmt: skip


def tokenizer_of(**parts):
    from tokenizers import Tokenizer, decoders, models

    other = Tokenizer(models.Unigram([("<unk>", 0.0), *((c, -2.0 - i % 7) for i, c in enumerate("thecaslow."))], 0))
    other.decoder = decoders.Fuse()
    return json.loads(other.to_str()) | parts


@pytest.mark.parametrize("said", NORMALIZERS, ids=str)
def test_every_character_is_normalized_as_tokenizers_does_it(said):
    from tokenizers import Tokenizer

    from tinygrad_llm.tokenizer.normalizers import normalizer_of

    theirs, ours = Tokenizer.from_str(json.dumps(tokenizer_of(normalizer=said))).normalizer, normalizer_of(said)
    rng = np.random.default_rng(0)
    for text in [f"{c}e {c}" for c in ANYTHING] + [random_text(rng) for _ in range(3000)] + [""]:
        assert ours(text) == theirs.normalize_str(text), repr(text)


@pytest.mark.parametrize("said", PRE_TOKENIZERS, ids=str)
def test_every_character_is_cut_as_tokenizers_cuts_it(said):
    from tokenizers import Tokenizer

    from tinygrad_llm.tokenizer.pre_tokenizers import pre_tokenizer_of

    theirs, ours = (
        Tokenizer.from_str(json.dumps(tokenizer_of(pre_tokenizer=said))).pre_tokenizer,
        pre_tokenizer_of(said),
    )
    rng = np.random.default_rng(0)
    characters = [f"e{c}{c} {c}" for c in ANYTHING[:: 1 if said["type"] != "Split" else 5]]
    for text in characters + [random_text(rng) for _ in range(3000)] + [""]:
        found = [word for word in ours(text, True) if word]
        assert found == [word for word, _ in theirs.pre_tokenize_str(text)], repr(text)


def drawn(rng):
    """A tokenizer of random parts."""

    def some(parts, most):
        return [parts[i] for i in rng.integers(len(parts), size=rng.integers(0, most + 1))]

    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    added_tokens = [{"id": 0, "content": "<unk>", **dict.fromkeys(flags, False), "special": True}]
    contents = rng.permutation(["<s>", "<Mask>", "cat", " the", "t.", "É", "Low", "1", "<s>s"])[: rng.integers(0, 6)]
    for content in map(str, contents):
        added_tokens.append(
            {"id": 10 + len(added_tokens), "content": content, **{flag: bool(rng.random() < 0.4) for flag in flags}}
        )
    return tokenizer_of(
        normalizer={"type": "Sequence", "normalizers": some(NORMALIZERS, 3)},
        pre_tokenizer={"type": "Sequence", "pretokenizers": some([part for part in PRE_TOKENIZERS if part.get("prepend_scheme") != "first"], 2)}, added_tokens=added_tokens,
    )  # fmt: skip


def agree_on_any_parts(count, seed):
    from tokenizers import Tokenizer

    rng = np.random.default_rng(seed)
    for _ in range(count):
        document = drawn(rng)
        theirs, ours = Tokenizer.from_str(json.dumps(document)), from_tokenizer_json(document)
        contents = [token["content"] for token in document["added_tokens"]]
        for _ in range(20):
            text = "".join(
                contents[rng.integers(len(contents))] if rng.random() < 0.3 else random_text(rng)[:4] for _ in range(6)
            )
            ids = theirs.encode(text, add_special_tokens=False).ids
            assert ours.encode(text, ours.special) == ids, (text, document)


def test_any_parts_together_give_the_ids_of_tokenizers():
    agree_on_any_parts(1000, 0)


# -- what transformers saves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("LlamaTokenizer", "bpe first whole"), ("GemmaTokenizer", "bpe gemma"), ("Qwen2Tokenizer", "qwen2"), ("RobertaTokenizer", "gpt2"),
     ("T5Tokenizer", "unigram t5"), ("XLMRobertaTokenizer", "unigram t5"), ("BertTokenizer", "bert")],
)  # fmt: skip
def test_a_folder_that_transformers_saves_opens_with_its_ids(name, kind, tmp_path):
    import transformers

    model = json.loads(KINDS[kind]().to_str())["model"]
    vocabulary = [tuple(piece) for piece in model["vocab"]] if model["type"] == "Unigram" else model["vocab"]
    merges = {"merges": [tuple(pair) for pair in model["merges"]]} if "merges" in model else {}
    theirs = getattr(transformers, name)(vocab=vocabulary, **merges)
    theirs.save_pretrained(tmp_path)
    ours, rng = load_tokenizer(tmp_path), np.random.default_rng(0)
    for _ in range(300):
        text, other = random_text(rng), random_text(rng)
        assert ours.encode(text, ours.special) == theirs(text, add_special_tokens=False)["input_ids"], text
        if not any(name in text + other for name in ours.special):
            found = theirs(text, other, return_token_type_ids=True)
            assert ours.encode_pair(text, other) == (found["input_ids"], found["token_type_ids"]), (text, other)
