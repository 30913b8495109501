"""Words as tokens: nothing is lost with spaces, and an unknown word is named, or unk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.tokenizer import WordTokenizer, load_tokenizer, tokenizer_from_dict

TEXT = 'The cat sat. "Why?" said the cat,\n\n and sat  again... naïve 🙂!'
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def test_words_have_the_space_before_them_and_runs_of_marks_are_one():
    tokenizer = WordTokenizer.train("The cat, the cat!?")
    assert tokenizer.vocabulary == ["The", " cat", ",", " the", "!?"]
    assert tokenizer.encode("The cat the cat,") == [0, 1, 3, 1, 2]
    assert tokenizer.id_of[" the"] == 3 and tokenizer.words("a b") == ["a", " b"]
    np.testing.assert_array_equal(tokenizer.encode_array(" cat,"), np.array([1, 2], np.int64))


def test_without_spaces_a_word_is_the_same_everywhere_and_each_mark_is_one():
    tokenizer = WordTokenizer.train("the cat,  the\ncat!?", spaces=False)
    assert tokenizer.vocabulary == ["the", "cat", ",", "!", "?"]
    assert tokenizer.encode("cat the?") == [1, 0, 4]
    assert tokenizer.decode([1, 0, 4]) == "cat the ? "


@given(text=ANY)
def test_with_spaces_every_text_comes_back_from_its_own_words(text):
    tokenizer = WordTokenizer.train(text)
    assert "".join(tokenizer.words(text)) == text
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(text=ANY.filter(str.strip))
def test_without_spaces_the_ids_come_back_and_the_words(text):
    tokenizer = WordTokenizer.train(text, spaces=False)
    ids = tokenizer.encode(text)
    assert tokenizer.encode(tokenizer.decode(ids)) == ids
    assert "".join(tokenizer.decode(ids).split()) == "".join(text.split())


@pytest.mark.parametrize("spaces", [True, False])
@given(data=st.data())
def test_streaming_gives_the_ids_of_the_whole(spaces, data):
    text = "".join(data.draw(st.lists(st.sampled_from("ab !\n'é"), max_size=40)))
    tokenizer = WordTokenizer.train(text + "a", spaces=spaces)
    tokenizer = WordTokenizer.train(text, spaces=spaces, unk="<unk>") if tokenizer.words(text) else tokenizer
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
    assert list(tokenizer.encode_stream(chunks)) == tokenizer.encode(text)


def test_streaming_does_not_wait_for_the_end():
    stream = WordTokenizer.train("one two").encode_stream(iter(["one two", pytest.fail]))
    assert next(stream) == 0


def test_a_long_word_that_comes_letter_by_letter_is_scanned_a_few_times_only(monkeypatch):
    tokenizer, scanned, spans = WordTokenizer.train("a" * 5000), [], WordTokenizer.spans
    monkeypatch.setattr(WordTokenizer, "spans", lambda self, text: scanned.append(len(text)) or spans(self, text))
    assert list(tokenizer.encode_stream("a" * 5000)) == tokenizer.encode("a" * 5000)
    assert sum(scanned) < 20_000


@pytest.mark.parametrize("spaces", [True, False])
def test_decoding_token_by_token_gives_the_same_text(spaces):
    tokenizer = WordTokenizer.train(TEXT, spaces=spaces)
    ids, stream = tokenizer.encode(TEXT), tokenizer.stream_decoder()
    assert "".join([stream.push(token) for token in ids] + [stream.finish()]) == tokenizer.decode(ids)


def test_an_unknown_word_is_named_with_its_place():
    tokenizer = WordTokenizer.train(TEXT)
    with pytest.raises(TokenError, match=r"' dog' at position 7"):
        tokenizer.encode("The cat dog cat")
    for bad in (-1, tokenizer.vocab_size):
        with pytest.raises(TokenError):
            tokenizer.token_bytes(bad)


def test_unk_is_the_first_token_and_stands_for_every_unknown_word():
    tokenizer = WordTokenizer.train("the cat", unk="<unk>")
    assert tokenizer.vocabulary[0] == "<unk>" and tokenizer.vocab_size == 3
    assert tokenizer.encode("the dog cat bird") == [1, 0, 2, 0]
    assert tokenizer.decode([1, 0]) == "the<unk>"
    assert WordTokenizer(["the", "<unk>"], unk="<unk>").encode("the dog") == [0, 1]


def test_special_tokens_come_first_and_no_text_spells_them():
    tokenizer = WordTokenizer.train("the end", special=["<pad>", "<end>"], unk="<unk>")
    assert tokenizer.vocabulary == ["<pad>", "<end>", "<unk>", "the", " end"]
    assert set(tokenizer.encode("<pad><end> <end>")) == {tokenizer.id_of["<unk>"]}


def test_spans_are_where_the_words_stand():
    tokenizer = WordTokenizer.train(TEXT, spaces=False)
    assert [TEXT[start:end] for start, end in tokenizer.spans(TEXT)] == tokenizer.words(TEXT)


@pytest.mark.parametrize(
    "options", [{}, {"spaces": False}, {"special": ["<pad>"]}, {"special": ["<pad>"], "unk": "<unk>"}]
)
def test_a_saved_tokenizer_is_the_same(tmp_path, options):
    tokenizer = WordTokenizer.train(TEXT, **options)
    other = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(other, WordTokenizer) and other.to_dict() == tokenizer.to_dict()
    tokenizer.save(tmp_path)
    assert load_tokenizer(tmp_path).encode(TEXT) == tokenizer.encode(TEXT)


@pytest.mark.parametrize("spaces", [True, False])
def test_a_text_without_words_is_refused(spaces):
    with pytest.raises(DataError):
        WordTokenizer.train("" if spaces else " \n", spaces=spaces)


@pytest.mark.parametrize(
    "document",
    [
        {"vocabulary": [], "spaces": True},
        {"vocabulary": ["a", "a"], "spaces": True},
        {"vocabulary": ["a b"], "spaces": True},
        {"vocabulary": [" a"], "spaces": False},
        {"vocabulary": [""], "spaces": True},
        {"vocabulary": ["a", 1], "spaces": True},
        {"vocabulary": ["a"], "spaces": True, "unk": "b"},
        {"vocabulary": ["a"], "spaces": True, "unk": 1},
        {"vocabulary": ["a"], "spaces": 1},
        {"vocabulary": ["a", "<end>"], "spaces": True},
        {"vocabulary": ["a"], "spaces": True, "special": ["<end>"]},
        {"vocabulary": ["a", "end"], "spaces": True, "special": ["end"]},
        {"vocabulary": ["a"], "spaces": True, "special": [1]},
        {"vocabulary": ["a"], "spaces": True, "special": None},
        {"vocabulary": ["a"]},
        {"vocabulary": "a", "spaces": True},
        {"spaces": True},
    ],
)
def test_a_vocabulary_that_was_altered_is_refused(document):
    with pytest.raises(CheckpointError):
        tokenizer_from_dict({"type": "word", "special": [], **document})
    tokenizer_from_dict({"type": "word", "vocabulary": ["a"], "spaces": True, "special": []})  # which is none of them


def test_half_of_a_surrogate_pair_is_no_word():
    with pytest.raises(CheckpointError, match="Unicode"):
        WordTokenizer(["\ud800"])
