"""Bytes that are no text, alphabets, and where a tokenizer is saved."""

from __future__ import annotations

import codecs
import json

import numpy as np
import pytest

from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    RegexBPETokenizer,
    WordTokenizer,
    load_tokenizer,
)

TEXT = "zeta Beta é 🙂 zeta's we're they'LL  1234 !?\n\n  \n  x\n"
KINDS = [
    CharTokenizer.train(TEXT), ByteTokenizer(), BPETokenizer.train(TEXT * 3, 270), RegexBPETokenizer.train(TEXT * 3, 270),
    RegexBPETokenizer.train(TEXT * 3, 270, "gpt4", special=["<e>", "<e>>"]), WordTokenizer.train(TEXT, special=["<pad>"], unk="<unk>"),
    WordTokenizer.train(TEXT, spaces=False),
]  # fmt: skip


def test_bytes_that_are_no_utf8_are_replaced_and_never_dropped():
    """As Unicode 3.9 advises, and Python's own decoder does; whole and in pieces alike."""
    rng, tokenizer = np.random.default_rng(0), ByteTokenizer()
    cases = [
        bytes(rng.choice([0x41, 0x7F, 0x80, 0xBF, 0xC3, 0xA9, 0xE2, 0x82, 0xF0, 0x9F, 0xFF], 7).tolist())
        for _ in range(300)
    ]
    for raw in [b"a\xf0\x9fb", b"\xff", b"\xc3", b"\xe2\x82", *cases]:
        expected = codecs.decode(raw, "utf-8", "replace")
        stream = tokenizer.stream_decoder()
        assert tokenizer.decode(raw) == expected
        assert "".join([*map(stream.push, raw), stream.finish()]) == expected
    assert BPETokenizer([]).decode([0x61, 0xC3]) == "a\ufffd"


def test_the_alphabet_is_sorted_and_each_character_has_its_place_in_it():
    tokenizer = CharTokenizer.train("zebra é Zoo🙂")
    assert tokenizer.alphabet == " Zabeorzé🙂"
    assert tokenizer.encode("aZ🙂") == [2, 1, 9] and tokenizer.decode([9, 0]) == "🙂 "
    assert CharTokenizer("ba").encode("ab") == [1, 0]  # a given alphabet keeps its order


def test_every_character_outside_the_alphabet_is_refused_and_the_first_is_named():
    tokenizer = CharTokenizer("bdf")
    for code in [*range(32, 127), 0xE9, 0x1F642, 0x10FFFF]:
        if chr(code) not in "bdf":
            with pytest.raises(TokenError, match="at position 2"):
                tokenizer.encode("bd" + chr(code) + "f!")


@pytest.mark.parametrize("tokenizer", KINDS, ids=lambda t: t.kind)
def test_a_tokenizer_is_saved_into_a_folder_or_under_a_name_and_forgets_nothing(tokenizer, tmp_path):
    for path in (tmp_path, tmp_path / "other.json"):
        file = tokenizer.save(path)
        assert file == (path if path.suffix else path / "tgl_tokenizer.json") and file.is_file()
        for loaded in (load_tokenizer(path), load_tokenizer(str(file))):
            assert type(loaded) is type(tokenizer) and loaded.to_dict() == tokenizer.to_dict()
            assert loaded.encode(TEXT) == tokenizer.encode(TEXT)
            assert [loaded.token_bytes(i) for i in range(loaded.vocab_size)] == [
                tokenizer.token_bytes(i) for i in range(tokenizer.vocab_size)
            ]
            for name in ("special", "pattern", "unk", "spaces", "merges"):
                assert getattr(loaded, name, None) == getattr(tokenizer, name, None)
    assert json.loads(file.read_text(encoding="utf-8"))["type"] == tokenizer.kind


@pytest.mark.parametrize("tokenizer", KINDS, ids=lambda t: t.kind)
def test_ids_are_whole_numbers_from_0_and_no_others_are_known(tokenizer):
    ids = tokenizer.encode_array(TEXT)
    assert ids.dtype == np.int64 and ids.tolist() == tokenizer.encode(TEXT) == tokenizer.encode(TEXT)
    assert type(tokenizer.encode(TEXT)) is list and {type(token) for token in tokenizer.encode(TEXT)} == {int}
    assert 0 <= ids.min() and ids.max() < tokenizer.vocab_size
    assert tokenizer.decode(ids) == tokenizer.decode(ids.tolist())
    for bad in (-1, -tokenizer.vocab_size, tokenizer.vocab_size):
        with pytest.raises(TokenError, match=f"got {bad}"):
            tokenizer.token_bytes(bad)
        with pytest.raises(TokenError, match=f"got {bad}"):
            tokenizer.stream_decoder().push(bad)


@pytest.mark.parametrize("spaces", [True, False])
def test_words_are_cut_as_the_table_says(spaces):
    table = {
        "it's  a_b 3.5": (["it", "'", "s", " ", " a_b", " 3", ".", "5"], ["it", "'", "s", "a_b", "3", ".", "5"]),
        "oh!? no...": (["oh", "!?", " no", "..."], ["oh", "!", "?", "no", ".", ".", "."]),
        "\n\tx -- é": (["\n", "\t", "x", " --", " é"], ["x", "-", "-", "é"]),
    }
    for text, (with_spaces, bare) in table.items():
        tokenizer = WordTokenizer.train(text, spaces=spaces)
        assert tokenizer.words(text) == (with_spaces if spaces else bare)
        assert tokenizer.vocabulary == list(dict.fromkeys(with_spaces if spaces else bare))


@pytest.mark.parametrize("tokenizer", KINDS, ids=lambda t: t.kind)
def test_a_text_cut_in_two_anywhere_or_into_single_letters_has_the_ids_of_the_whole(tokenizer):
    text = TEXT * 2
    for cut in range(len(text) + 1):
        assert list(tokenizer.encode_stream([text[:cut], text[cut:]])) == tokenizer.encode(text), text[:cut]
    for chunks in (text, [text], ["", *text, ""], [text[i : i + 3] for i in range(0, len(text), 3)], []):
        assert list(tokenizer.encode_stream(iter(chunks))) == tokenizer.encode("".join(chunks))
