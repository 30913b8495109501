"""WordPiece cuts words from the left into the longest pieces, and cleans a text as BERT does."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.cli.main import main
from tinygrad_llm.errors import ArgumentError, CheckpointError, TokenError
from tinygrad_llm.tokenizer import load_tokenizer, tokenizer_from_dict
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.tokenizer.wordpiece import SPECIAL, WordPieceTokenizer

PIECES = [
    *SPECIAL, *"abcdeun,.!'中文", *[f"##{c}" for c in "abcdefglmnorst"], "un", "##aff", "##able", "the", "low", "##er",
    "##est", "new", "strasse", "cafe", "é", "Café", "##", "σας", "σασ",
]  # fmt: skip


def made(**options):
    return WordPieceTokenizer(PIECES, **options)


def pieces(text, **options):
    tokenizer = made(**options)
    return [tokenizer.vocabulary[i] for i in tokenizer.encode(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unaffable", ["un", "##aff", "##able"]),  # Devlin et al.'s own example
        ("lower lowest", ["low", "##er", "low", "##est"]),
        ("the,low", ["the", ",", "low"]), ("the!!", ["the", "!", "!"]),
        ("lowx the", ["[UNK]", "the"]), ("x", ["[UNK]"]), ("", []), (" \t\n", []),
        ("the中文low", ["the", "中", "文", "low"]),
        ("the\u00a0low\u2028new", ["the", "low", "new"]), ("t\u200bhe\x00", ["the"]), ("th\ufffde", ["the"]),
        ("Café", ["cafe"]), ("THE Low", ["the", "low"]), ("Cafe\u0301", ["cafe"]),
        ("ΣΑΣ", ["σασ"]),  # each letter by itself: no sigma of a word's end
        ("a" * 100, ["a", *["##a"] * 99]), ("a" * 101, ["[UNK]"]),
    ],
)  # fmt: skip
def test_a_text_is_cut_as_bert_cuts_it(text, expected):
    assert pieces(text) == expected


def test_cased_models_keep_capitals_and_accents():
    assert pieces("Café the", lowercase=False) == ["Café", "the"]
    assert pieces("CAFÉ", lowercase=False) == ["[UNK]"]


def test_special_tokens_are_refused_unless_they_are_meant():
    tokenizer = made()
    with pytest.raises(TokenError, match=r"\[MASK\].*position 4"):
        tokenizer.encode("the [MASK]")
    assert tokenizer.encode("the [MASK].", ["[MASK]"]) == [tokenizer.id_of[t] for t in ("the", "[MASK]", ".")]
    assert tokenizer.mask_id not in tokenizer.encode_ordinary("the [MASK]")


def test_what_a_user_types_is_refused_meant_or_spelled():
    tokenizer = made()
    the, mask = tokenizer.id_of["the"], tokenizer.mask_id
    assert encode_text(tokenizer, "the [MASK]", "allow").tolist() == [the, mask]
    assert encode_text(tokenizer, "the [MASK]", "text").tolist() == tokenizer.encode_ordinary("the [MASK]")
    with pytest.raises(TokenError, match=r"\[SEP\].*position 4.*--special allow"):
        encode_text(tokenizer, "the [SEP] [MASK]")
    for special in ("refuse", "allow", "text"):
        assert encode_text(tokenizer, "the low", special).tolist() == tokenizer.encode("the low")


def test_the_command_says_what_a_special_token_is(tmp_path, capsys):
    made().save(tmp_path)
    argv = ["tokenize", "the [MASK]", "--tokenizer", str(tmp_path)]
    assert main(argv) == 2 and "--special allow" in capsys.readouterr().err
    for special, count in (("allow", 2), ("text", 4)):  # the characters are three words: [, mask and ]
        assert main([*argv, "--special", special]) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"{count} tokens")


def test_a_stream_refuses_with_the_place_in_the_whole():
    with pytest.raises(TokenError, match="position 12"):
        list(made().encode_stream(["the low ", "the [MA", "SK]"]))


def test_a_pair_has_its_marks_and_its_types():
    tokenizer = made()
    the, low, new = (tokenizer.id_of[t] for t in ("the", "low", "new"))
    cls, sep = tokenizer.cls_id, tokenizer.sep_id
    assert tokenizer.encode_pair("the low") == ([cls, the, low, sep], [0, 0, 0, 0])
    assert tokenizer.encode_pair("the low", "new") == ([cls, the, low, sep, new, sep], [0, 0, 0, 0, 1, 1])
    assert tokenizer.encode_pair("the low", "new", 5) == ([cls, the, sep, new, sep], [0, 0, 0, 1, 1])
    assert tokenizer.encode_pair("the low", "new the", 6)[0] == [cls, the, low, sep, new, sep]  # of equals the second
    assert tokenizer.encode_pair("the low low", longest=3)[0] == [cls, the, sep]
    assert tokenizer.encode_pair("the", "new", 3)[0] == [cls, sep, sep]
    with pytest.raises(ArgumentError, match="longest"):
        tokenizer.encode_pair("the", "new", 2)


def test_decoding_joins_pieces_and_puts_a_space_between_words():
    tokenizer = made()
    assert tokenizer.decode(tokenizer.encode("Unaffable the, low")) == "unaffable the , low"
    assert tokenizer.token_bytes(tokenizer.id_of["##"]) == b" ##"  # no rest of a word, but two signs
    with pytest.raises(TokenError, match="token id"):
        tokenizer.decode([len(PIECES)])


@given(st.lists(st.text("abelowun ,!\n[MASK]\t", max_size=8), max_size=6))
def test_a_stream_has_the_ids_of_the_joined_text(chunks):
    tokenizer = made()
    assert list(tokenizer.encode_stream(chunks, SPECIAL)) == tokenizer.encode("".join(chunks), SPECIAL)


def test_what_is_saved_opens(tmp_path):
    for lowercase, cleanup in ((False, False), (True, True)):
        tokenizer = made(lowercase=lowercase, cleanup=cleanup)
        tokenizer.save(tmp_path)
        again = load_tokenizer(tmp_path)
        assert type(again) is WordPieceTokenizer and again.to_dict() == tokenizer.to_dict()
        assert again.encode("Café unaffable") == tokenizer.encode("Café unaffable")
        assert again.decode(again.encode("the, low")) == ("the, low" if cleanup else "the , low")


@pytest.mark.parametrize("ends", ["\n", "\r\n", ""])
def test_a_vocab_txt_opens(ends, tmp_path):
    joined = (ends or "\n").join(PIECES) + ends
    (tmp_path / "vocab.txt").write_bytes(joined.encode())
    assert WordPieceTokenizer.from_vocab_txt(tmp_path / "vocab.txt").vocabulary == PIECES
    assert load_tokenizer(tmp_path).lowercase
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}', encoding="utf-8")
    assert not load_tokenizer(tmp_path).lowercase and not load_tokenizer(tmp_path / "vocab.txt").lowercase


@pytest.mark.parametrize(
    "said", ['{"do_lower_case": "no"}', '{"do_lower_case": null}', "[]", '{"do_lower_case"', "\ufffd"]
)
def test_a_tokenizer_config_that_cannot_be_read_is_refused(said, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(said, encoding="utf-8")
    with pytest.raises(CheckpointError, match="do_lower_case|tokenizer_config"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("vocabulary", "words"), [([*PIECES, "the"], "one twice"), (PIECES[1:], r"\[PAD\]"), ([], r"\[PAD\]")]
)
def test_a_vocabulary_without_its_special_tokens_or_with_a_piece_twice_is_refused(vocabulary, words):
    with pytest.raises(CheckpointError, match=words):
        WordPieceTokenizer(vocabulary)


@pytest.mark.parametrize("change", [{"vocabulary": [1]}, {"lowercase": "yes"}, {"special": None}, {"vocabulary": "a"}])
def test_an_altered_file_is_refused(change):
    with pytest.raises(CheckpointError, match="tokenizer"):
        tokenizer_from_dict(made().to_dict() | change)


# -- tokenizers ------------------------------------------------------------------------------------------------------


def known_since_unicode_3_2():
    """Characters that mean what they meant then: tokenizers' tables are some versions of Unicode behind Python's."""
    then, now = unicodedata.ucd_3_2_0.category, unicodedata.category
    return [c for c in map(chr, [*range(0xD800), *range(0xE000, 0x110000)]) if "Cn" != then(c) == now(c)]


def theirs(tokenizer):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    other = Tokenizer(models.WordPiece(tokenizer.id_of, unk_token="[UNK]", max_input_chars_per_word=100))
    other.normalizer = normalizers.BertNormalizer(lowercase=tokenizer.lowercase)
    other.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return other


def agree(count, seed, lowercase):
    """Random strings: pieces of the vocabulary and any characters in any order."""
    rng, tokenizer = np.random.default_rng(seed), made(lowercase=lowercase)
    other, anything = theirs(tokenizer), known_since_unicode_3_2()
    bare = [piece.removeprefix("##") for piece in PIECES[5:]]
    for _ in range(count // 1000):
        texts = []
        for _ in range(1000):
            parts = [
                bare[rng.integers(len(bare))] if rng.random() < 0.7 else anything[rng.integers(len(anything))]
                for _ in range(rng.integers(1, 9))
            ]
            texts.append("".join(parts))
        for text, found in zip(texts, other.encode_batch(texts)):
            assert tokenizer.encode_ordinary(text) == found.ids, repr(text)
        tokenizer._cache.clear()


@pytest.mark.oracle
@pytest.mark.parametrize("lowercase", [True, False])
def test_random_texts_have_the_ids_of_tokenizers(lowercase):
    agree(10_000, 0, lowercase)


@pytest.mark.oracle
@pytest.mark.long
@pytest.mark.parametrize("lowercase", [True, False])
def test_a_million_random_texts_have_the_ids_of_tokenizers(lowercase):
    agree(500_000, 1, lowercase)


@pytest.mark.oracle
@pytest.mark.parametrize("lowercase", [True, False])
def test_every_character_is_cleaned_as_tokenizers_cleans_it(lowercase):
    tokenizer = made(lowercase=lowercase)
    other, texts = theirs(tokenizer), [f"un{c}un" for c in known_since_unicode_3_2()]
    for text, found in zip(texts, other.encode_batch(texts)):
        assert tokenizer.encode_ordinary(text) == found.ids, hex(ord(text[2]))


def test_control_characters_are_no_letters_also_between_plain_ones():
    tokenizer = WordPieceTokenizer([*SPECIAL, "a", "##b", "c"])
    for dropped in "\0\x07\x1b\x7f":
        assert tokenizer.words(f"a{dropped}b c") == ["ab", "c"]
    assert tokenizer.words("a\tc\nc") == ["a", "c", "c"]


def test_a_special_token_of_ones_own_is_one_after_it_was_saved():
    tokenizer = WordPieceTokenizer([*SPECIAL, "a", "[E1]"], special=(*SPECIAL, "[E1]"))
    again = tokenizer_from_dict(tokenizer.to_dict())
    for each in (tokenizer, again):
        assert each.encode("a[E1]", ["[E1]"]) == [5, 6]
        with pytest.raises(TokenError, match=re.escape("'[E1]'")):
            each.encode("a [E1]")
