"""Hugging Face's tokenizer.json: what is GPT-2's kind opens as such; what is not understood is refused by its name."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.cli.load import load_model
from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.models import from_pretrained
from tinygrad_llm.tokenizer import PipelineTokenizer, RegexBPETokenizer, load_tokenizer
from tinygrad_llm.tokenizer.regex_bpe import BYTE_ORDER
from tinygrad_llm.train.checkpoint import load_checkpoint, save_checkpoint
from tinygrad_llm.train.config import TrainConfig
from tinygrad_llm.train.run import start_run, tokenizer_of

OURS = RegexBPETokenizer.train("the cat sat on the mat, the hat's hat. " * 5, 275, special=["<|endoftext|>"])
LETTERS = {byte: chr(byte) if i < 188 else chr(256 + i - 188) for i, byte in enumerate(BYTE_ORDER)}


def shown(token: bytes) -> str:
    return "".join(LETTERS[byte] for byte in token)


MERGES = [[shown(OURS.tokens[a]), shown(OURS.tokens[b])] for a, b in OURS.merges]
VOCAB = {shown(token): i for i, token in enumerate(OURS.tokens[:-1])} | {"<|endoftext|>": OURS.vocab_size - 1}
DOCUMENT = {  # as transformers 5 writes it
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [{"id": OURS.vocab_size - 1, "content": "<|endoftext|>", "single_word": False, "lstrip": False,
                      "rstrip": False, "normalized": False, "special": True}],
    "normalizer": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
                       "pair": [{"Sequence": {"id": text, "type_id": i}} for i, text in enumerate("AB")], "special_tokens": {}},
    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
              "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": VOCAB, "merges": MERGES},
}  # fmt: skip


def gpt2_files(folder):
    (folder / "vocab.json").write_text(json.dumps(VOCAB))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in MERGES), encoding="utf-8")


def opened(document, folder):
    (folder / "tokenizer.json").write_text(json.dumps(document))
    return load_tokenizer(folder)


def changed(path, value):
    document = copy.deepcopy(DOCUMENT)
    *parts, last = path
    inside = document
    for part in parts:
        inside = inside[part]
    inside[last] = value
    return document


def test_a_tokenizer_json_opens_alone_with_merges_as_rows_or_as_pairs(tmp_path):
    rows = changed(("model", "merges"), [" ".join(pair) for pair in MERGES])
    without = changed(("post_processor",), None)
    for document in (DOCUMENT, rows, without):
        assert opened(document, tmp_path).to_dict() == OURS.to_dict()
    assert load_tokenizer(tmp_path / "tokenizer.json").to_dict() == OURS.to_dict()


@pytest.mark.parametrize(("path", "value"), [
    (("model", "ignore_merges"), True), (("normalizer",), {"type": "NFC"}), (("pre_tokenizer", "add_prefix_space"), True),
    (("pre_tokenizer", "use_regex"), False), (("pre_tokenizer",), {"type": "Whitespace"}), (("pre_tokenizer",), None),
    (("decoder",), {"type": "Fuse"}), (("added_tokens", 0, "special"), False), (("added_tokens", 0, "lstrip"), True),
    (("added_tokens", 0, "rstrip"), True), (("added_tokens", 0, "single_word"), True), (("added_tokens", 0, "normalized"), True),
    (("model", "vocab"), VOCAB | {"!": 1, '"': 0}), (("model", "merges"), MERGES[::-1]), (("post_processor", "single"), [{"Sequence": {"id": "A", "type_id": 1}}]),
])  # fmt: skip
def test_what_differs_from_gpt2_s_opens_as_another_kind(path, value, tmp_path):
    tokenizer = opened(changed(path, value), tmp_path)
    assert type(tokenizer) is PipelineTokenizer and tokenizer.vocab_size == OURS.vocab_size


def test_a_tokenizer_json_says_more_than_the_two_files_beside_it(tmp_path):
    gpt2_files(tmp_path)
    tokenizer = opened(changed(("pre_tokenizer", "add_prefix_space"), True), tmp_path)
    assert tokenizer.encode("the") == OURS.encode(" the") != OURS.encode("the")


def test_a_space_before_the_text_is_what_a_file_means_that_says_nothing_of_it(tmp_path):
    words = {key: value for key, value in DOCUMENT["pre_tokenizer"].items() if key != "add_prefix_space"}
    tokenizer = opened(changed(("pre_tokenizer",), words), tmp_path)
    assert tokenizer.encode("the") == OURS.encode(" the") != OURS.encode("the")


def test_a_file_of_an_earlier_version_says_no_type_of_model(tmp_path):
    model = {key: value for key, value in DOCUMENT["model"].items() if key != "type"}
    assert opened(changed(("model",), model), tmp_path).to_dict() == OURS.to_dict()


def test_gpt2_s_two_files_open_as_the_same(tmp_path):
    gpt2_files(tmp_path)
    assert load_tokenizer(tmp_path).to_dict() == OURS.to_dict()
    (tmp_path / "merges.txt").write_text("q q\n")
    with pytest.raises(DataError):
        load_tokenizer(tmp_path)


def test_ours_does_not_take_their_name(tmp_path):
    OURS.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tgl_tokenizer.json"]
    opened(changed(("model", "merges"), []), tmp_path)  # where both are, ours is taken
    assert load_tokenizer(tmp_path).to_dict() == OURS.to_dict()
    (tmp_path / "tokenizer.json").write_text(json.dumps(OURS.to_dict()))  # as earlier versions saved it
    assert load_tokenizer(tmp_path / "tokenizer.json").to_dict() == OURS.to_dict()


def test_a_folder_without_a_tokenizer_says_what_is_missing(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        CheckpointError, match=r"vocab\.json with merges\.txt, tokenizer\.json, or vocab\.txt, got config\.json"
    ):
        load_tokenizer(tmp_path)


OTHERS = [
    (("normalizer",), {"type": "Nmt"}, r"normalizer\.type: expected Sequence or .* got 'Nmt'"), (("truncation",), {"max_length": 3}, "truncation"),
    (("model", "type"), "WordLevel", r"model\.type: expected BPE or Unigram"), (("model", "type"), "Unigram", "model.dropout"),
    (("model", "type"), "WordPiece", "normalizer"), (("padding",), {}, "padding"), (("more",), None, r"\.more: expected none but type, version"),
    (("model", "dropout"), 0.1, "dropout"), (("model", "dropout"), False, "dropout"), (("model", "ignore_merges"), 1, "ignore_merges: expected a bool"),
    (("model", "end_of_word_suffix"), "</w>", "end_of_word"), (("model", "byte_fallback"), None, "byte_fallback"),
    (("model", "continuing_subword_prefix"), "##", "continuing"), (("model", "merges"), [["q", "zz"]], "merges"), (("model", "unk_token"), "q?", "unk_token"),
    (("model", "merges"), 3, "merges"), (("model", "merges"), [3], "merges"), (("model", "vocab"), [], "vocab"), (("model", "more"), 1, "model.more"),
    (("model", "merges"), ["a b c"], "merges"), (("model", "merges"), [MERGES[0], MERGES[0]], "twice"), (("model", "merges"), [["!", "q"]], "'!q' missing"),
    (("model", "vocab"), VOCAB | {"more": 900}, "vocab"), (("model", "vocab"), VOCAB | {"!": 5}, "vocab"), (("model",), None, "model"),
    (("model",), [], "model"), (("pre_tokenizer", "type"), "UnicodeScripts", "pre_tokenizer"), (("pre_tokenizer", "more"), 1, "pre_tokenizer.more"),
    (("pre_tokenizer", "add_prefix_space"), None, "add_prefix"), (("pre_tokenizer", "use_regex"), 0, "use_regex"), (("version",), "2.0", "version"),
    (("decoder",), {"type": "CTC"}, r"decoder\.type"), (("decoder",), None, "decoder"), (("post_processor", "special_tokens"), {"<s>": {}}, "post_processor"),
    (("post_processor", "type"), "Template", "post_processor"), (("added_tokens", 0, "more"), False, r"added_tokens\[0\].more"),
    (("added_tokens", 0, "lstrip"), 1, r"added_tokens\[0\].lstrip"), (("added_tokens", 0), 3, "added_tokens"),
    (("added_tokens", 0, "id"), "3", "added_tokens"), (("added_tokens", 0, "id"), 900, "vocab|special"), (("added_tokens", 0, "id"), -1, "added_tokens"),
    (("added_tokens", 0, "content"), "", "added_tokens"), (("added_tokens",), 3, "added_tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "words"), OTHERS, ids=str)
def test_another_kind_of_tokenizer_is_refused_by_name(path, value, words, tmp_path):
    with pytest.raises(CheckpointError, match=words):
        opened(changed(path, value), tmp_path)


@pytest.mark.oracle
def test_what_transformers_saves_gives_the_ids_that_it_gives(tmp_path):
    from transformers import GPT2Tokenizer

    gpt2_files(tmp_path)
    theirs = GPT2Tokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    theirs.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved" / "vocab.json").exists()  # transformers 5
    ours = load_tokenizer(tmp_path / "saved")

    @given(st.text(st.characters(max_codepoint=0x2FFF, categories=["L", "N", "P", "S", "Zs"]), max_size=40))
    def same(text):
        assert ours.encode(text) == theirs(text)["input_ids"]
        assert ours.decode(ours.encode(text)) == theirs.decode(theirs(text)["input_ids"])

    same()
    with pytest.raises(TokenError, match="special token"):
        ours.encode("<|endoftext|>")


def their_model(folder, safe=True):
    """A GPT-2 and its tokenizer as transformers saves them."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    ids = {"bos_token_id": 3, "eos_token_id": 3}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=OURS.vocab_size, n_positions=8, n_layer=1, n_head=2, n_embd=4, **ids))
    model.save_pretrained(folder)
    gpt2_files(folder)
    GPT2Tokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()
    if not safe:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return model.eval()


@pytest.mark.oracle
def test_a_folder_of_transformers_5_opens_whole(tmp_path):
    import torch

    theirs = their_model(tmp_path)
    model, tokenizer = load_model(str(tmp_path))
    tokens = np.array([tokenizer.encode("the cat")])
    expected = theirs(torch.tensor(tokens)).logits.detach().numpy()
    np.testing.assert_allclose(model(tokens).data, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.oracle
def test_the_way_named_for_a_pickle_is_one(tmp_path):
    theirs = their_model(tmp_path, safe=False)
    with pytest.raises(CheckpointError, match="a pickle, which can run any program") as found:
        load_model(str(tmp_path))
    call = re.search(r"transformers\.Auto.*\)$", found.value.next_step)[0]
    exec(f"import transformers; {call}")
    opened = from_pretrained(tmp_path)
    np.testing.assert_array_equal(opened.norm.weight.data, theirs.transformer.ln_f.weight.detach().numpy())


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model.bin.index.json", "tokenizer.json", "config.json"])
def test_a_folder_with_one_file_alone_says_what_it_is(name, tmp_path):
    (tmp_path / name).write_text("{}")
    words = {"tokenizer.json": "files of a tokenizer", "config.json": "whole model"}.get(name, "pickle|whole model")
    with pytest.raises(CheckpointError, match=words):
        load_model(str(tmp_path))


def test_a_pickle_of_an_encoder_and_decoder_is_converted_as_such(tmp_path):
    (tmp_path / "pytorch_model.bin").write_text("")
    (tmp_path / "config.json").write_text('{"model_type": "bart"}')
    with pytest.raises(CheckpointError, match="AutoModelForSeq2SeqLM"):
        from_pretrained(tmp_path)


def test_a_run_leaves_their_name_free_and_earlier_runs_open(tmp_path):
    (tmp_path / "text").write_text("the cat sat on the mat. " * 20)
    config = TrainConfig(
        text=str(tmp_path / "text"), tokenizer="bpe", vocab_size=260, n_layer=1, n_head=1, n_embd=4, block_size=4, steps=1,
        batch_size=1, threads="1",
    )  # fmt: skip
    start_run(config, tmp_path / "run").run()
    last = tmp_path / "run" / "checkpoint" / "last"
    assert (last / "tgl_tokenizer.json").exists() and not (last / "tokenizer.json").exists()
    saved = load_checkpoint(last)
    documents = {name.removeprefix("tgl_"): document for name, document in saved.documents.items()}
    save_checkpoint(tmp_path / "earlier", saved.arrays, documents)
    assert tokenizer_of(load_checkpoint(tmp_path / "earlier")).to_dict() == tokenizer_of(saved).to_dict()
