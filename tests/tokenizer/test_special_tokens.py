"""Special tokens: the longest first, in any order of names, refused, meant or spelled; and what is read of others' files."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer, RegexBPETokenizer, WordTokenizer, load_tokenizer
from tinygrad_llm.tokenizer.regex_bpe import BYTE_ORDER
from tinygrad_llm.tokenizer.special import encode_text

TEXT = "the cat sat on the mat, the hat's hat. " * 5
NAMES = ["<|end|>", "<|end|>!", "<|", "end"]
TRAINED = RegexBPETokenizer.train(TEXT, 280, special=NAMES)


def defined(tokenizer, text, allowed):
    """The longest special token that begins at a place, else the text up to the next; or (name, place) of one that is
    not allowed."""
    ids, ordinary, place = [], "", 0
    while place < len(text):
        here = [name for name in sorted(tokenizer.special, key=len, reverse=True) if text.startswith(name, place)]
        if not here:
            ordinary, place = ordinary + text[place], place + 1
            continue
        if here[0] not in allowed:
            return here[0], place
        ids += [*tokenizer.encode_ordinary(ordinary), tokenizer.special[here[0]]]
        ordinary, place = "", place + len(here[0])
    return ids + tokenizer.encode_ordinary(ordinary)


def test_of_special_tokens_that_begin_alike_the_longest_is_meant_in_streams_too():
    rng = np.random.default_rng(0)
    for _ in range(400):
        text = "".join(rng.choice([*NAMES, "<", "|", "!", " ", "the cat", "en"], int(rng.integers(1, 9))))
        allowed = [name for name in NAMES if rng.random() < 0.85]
        cuts = np.sort(rng.integers(0, len(text) + 1, int(rng.integers(0, 6))))
        chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
        expected = defined(TRAINED, text, allowed)
        for encode, given in ((TRAINED.encode, text), (TRAINED.encode_stream, chunks)):
            if isinstance(expected, tuple):
                with pytest.raises(TokenError) as found:
                    list(encode(given, allowed))
                assert found.value.got == f"the special token {expected[0]!r} at position {expected[1]}"
            else:
                assert list(encode(given, allowed)) == expected, (text, allowed)


def test_a_stream_gives_nothing_out_of_which_more_text_could_make_a_special_token():
    for name, cut in itertools.product(NAMES, range(1, 8)):
        given = []
        stream = TRAINED.encode_stream(iter(["the cat " + name[:cut], name[cut:] + " sat"]), NAMES)
        given = list(stream)
        assert given == TRAINED.encode(f"the cat {name} sat", NAMES) and TRAINED.special[name] in given


def test_special_tokens_are_borders_in_training_the_longest_first():
    inside = "<|end|>!".join(["low lower", "lower", " low"])
    assert RegexBPETokenizer.train(inside + "!!!!", 270, special=NAMES[:2]).merges[0] != (0, 0)
    alone = RegexBPETokenizer.train("<|end|>".join(["ab"] * 9), 300, special=NAMES[:2])  # and not "abab"
    assert alone.tokens[256:-2] == [b"ab"]
    text = "ab<|end|>!!ab<|end|>!!ab"  # without the borders "!!" would stand there twice
    assert RegexBPETokenizer.train(text, 300, special=NAMES[:2]).tokens[256:-2] == [b"ab"]


def test_special_tokens_may_be_named_in_any_order():
    for names in itertools.permutations([("<a>", 256), ("<b>", 257), ("<ab>", 258)]):
        tokenizer = RegexBPETokenizer([], "gpt2", dict(names))
        assert [tokenizer.decode([i]) for i in (256, 257, 258)] == ["<a>", "<b>", "<ab>"]
        assert tokenizer.encode("<ab><b>", ["<b>", "<ab>"]) == [258, 257]
        again = RegexBPETokenizer.from_dict(json.loads(json.dumps(tokenizer.to_dict(), sort_keys=True)))
        assert again.special == tokenizer.special and again.tokens == tokenizer.tokens
    for special in ({"": 256}, {"<a>": 257}, {"<a>": 256, "<b>": 256}, {"<a>": 255}):
        with pytest.raises(CheckpointError, match="special token"):
            RegexBPETokenizer([], "gpt2", special)


def test_what_a_user_types_is_refused_meant_or_spelled():
    end = TRAINED.special["<|end|>"]
    ordinary = TRAINED.encode_ordinary("a <|end|> b")
    assert encode_text(TRAINED, "a <|end|> b", "allow").tolist() == [*TRAINED.encode("a "), end, *TRAINED.encode(" b")]
    assert encode_text(TRAINED, "a <|end|> b", "text").tolist() == ordinary and end not in ordinary
    for refused in (lambda: encode_text(TRAINED, "a <|end|> b"), lambda: encode_text(TRAINED, "a <|end|> b", "refuse")):
        with pytest.raises(TokenError, match="at position 2.*--special allow"):
            refused()
    for names in itertools.permutations(NAMES):  # which of them is meant does not depend on their order
        tokenizer = RegexBPETokenizer([], "gpt2", {name: 256 + i for i, name in enumerate(names)})
        with pytest.raises(TokenError, match=r"'<\|end\|>!' at position 2"):
            encode_text(tokenizer, "a <|end|>! <| end")
    two = RegexBPETokenizer([], "gpt2", {"<x>": 256, "<y>": 257})
    with pytest.raises(TokenError, match="'<y>' at position 1"):
        encode_text(two, "a<y> <x>")
    for tokenizer in (TRAINED, ByteTokenizer(), CharTokenizer("a b"), WordTokenizer.train("a b")):
        for special in ("refuse", "allow", "text"):
            found = encode_text(tokenizer, "a b", special)
            assert found.dtype == np.int64 and found.tolist() == tokenizer.encode("a b")


# ---- GPT-2's two files, made of a tokenizer of ours

OURS = RegexBPETokenizer.train(TEXT + "\t##" * 9, 275)
LETTERS = {byte: chr(byte) if i < 188 else chr(256 + i - 188) for i, byte in enumerate(BYTE_ORDER)}


def shown(token):
    return "".join(LETTERS[byte] for byte in token)


def gpt2_files(folder, encoder=None, rows=None):
    ids = {shown(token): i for i, token in enumerate(OURS.tokens)} | {"<|endoftext|>": OURS.vocab_size}
    own = [f"{shown(OURS.tokens[a])} {shown(OURS.tokens[b])}" for a, b in OURS.merges]
    (folder / "encoder.json").write_text(json.dumps(ids if encoder is None else encoder(ids)), encoding="utf-8")
    text = "#version: 0.2\n" + "\n".join(own if rows is None else rows(own)) + "\n"
    (folder / "vocab.bpe").write_text(text, encoding="utf-8")
    return RegexBPETokenizer.from_gpt2_files(folder / "encoder.json", folder / "vocab.bpe")


def test_gpt2_s_files_give_the_tokenizer_that_they_were_made_of(tmp_path):
    tokenizer = gpt2_files(tmp_path)
    assert "# #" in (tmp_path / "vocab.bpe").read_text(encoding="utf-8").split("\n")  # a merge, and no comment
    assert tokenizer.merges == OURS.merges and tokenizer.pattern == "gpt2"
    assert tokenizer.special == {"<|endoftext|>": OURS.vocab_size}
    assert tokenizer.encode("the cat's ## hat\n") == OURS.encode("the cat's ## hat\n")


@pytest.mark.parametrize("encoder", [
    lambda ids: ids | {shown(OURS.tokens[256]): 257, shown(OURS.tokens[257]): 256},  # exchanged
    lambda ids: {token: i for token, i in ids.items() if i != 260},
    lambda ids: ids | {"more": 900},
    lambda ids: {("zz" if i == 270 else token): i for token, i in ids.items()},
    lambda ids: {token: i for token, i in ids.items() if token != "<|endoftext|>"},
    lambda ids: ids | {"<|endoftext|>": 0},
])  # fmt: skip
def test_ids_that_the_merges_do_not_give_are_refused(encoder, tmp_path):
    with pytest.raises(DataError, match=r"encoder\.json"):
        gpt2_files(tmp_path, encoder)


def test_merges_in_another_order_are_refused(tmp_path):
    with pytest.raises(DataError):
        gpt2_files(tmp_path, rows=lambda rows: [*rows[1:], rows[0]])


# ---- and Hugging Face's


def document(**changed):
    """A tokenizer.json in few words; what may be absent is."""
    ids = {shown(token): i for i, token in enumerate(OURS.tokens)}
    rows = [[shown(OURS.tokens[a]), shown(OURS.tokens[b])] for a, b in OURS.merges]
    level = {"type": "ByteLevel", "add_prefix_space": False}
    return {"model": {"type": "BPE", "vocab": ids, "merges": rows}, "pre_tokenizer": level, "decoder": level, **changed}


def opened(folder, **changed):
    (folder / "tokenizer.json").write_text(json.dumps(document(**changed)))
    return load_tokenizer(folder)


def test_a_tokenizer_json_needs_no_special_tokens(tmp_path):
    assert opened(tmp_path).to_dict() == OURS.to_dict()
    contraction = "IT'S 12345 it's"
    assert opened(tmp_path).words(contraction) == ["IT", "'", "S", " 12345", " it", "'s"]
    added = [{"id": OURS.vocab_size + i, "content": name, "special": True} for i, name in enumerate(NAMES)]
    assert opened(tmp_path, added_tokens=added).special == {token["content"]: token["id"] for token in added}


def test_a_folder_with_one_of_gpt2_s_two_files_is_opened_by_its_tokenizer_json_or_named(tmp_path):
    for name in ("vocab.json", "merges.txt"):
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        (folder / name).write_text("{}")
        with pytest.raises(CheckpointError, match=rf"expected tgl_tokenizer\.json, .*, got {name}"):
            load_tokenizer(folder)
        assert opened(folder).to_dict() == OURS.to_dict()


def test_a_special_token_that_is_a_merge_too_is_never_spelled_by_a_text(tmp_path):
    token = shown(OURS.tokens[-1])
    tokenizer = opened(tmp_path, added_tokens=[{"id": OURS.vocab_size - 1, "content": token, "special": True}])
    text = OURS.tokens[-1].decode()
    assert OURS.encode(text) == [OURS.vocab_size - 1] and OURS.vocab_size - 1 not in tokenizer.encode_ordinary(text)
