"""Claims about tokenizers that need no other library."""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, CheckpointError, DataError, StorageError, TokenError
from tinygrad_llm.tokenizer import (
    PATTERNS,
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    RegexBPETokenizer,
    load_tokenizer,
    tokenizer_from_dict,
)
from tinygrad_llm.tokenizer.merges import (
    apply_merges_plainly,
    apply_merges_to_long,
    best_pair,
    learn_merges,
    learn_merges_plainly,
)
from tinygrad_llm.tokenizer.regex_bpe import ASCII_PATTERNS, BYTE_ORDER

CORPUS = "the cat sat on the mat. The cat, the hat; it's the cat's hat! 123 4567\n\n  naïve café 🙂🙂 " * 3
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SPECIAL = "<|end|>"

BYTE_LEVEL = [
    ByteTokenizer(),
    BPETokenizer.train(CORPUS, 300),
    RegexBPETokenizer.train(CORPUS, 300),
    RegexBPETokenizer.train(CORPUS, 300, "gpt4", special=[SPECIAL]),
]
ALL = [CharTokenizer.train(CORPUS), *BYTE_LEVEL]


@pytest.mark.parametrize("tokenizer", BYTE_LEVEL, ids=lambda t: t.kind)
@given(text=TEXT)
def test_every_text_survives_a_round_trip(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.long
def test_a_million_random_byte_strings_survive_a_round_trip():
    rng = np.random.default_rng(0)
    tokenizer = BYTE_LEVEL[1]
    for _ in range(1_000_000):
        raw = rng.bytes(int(rng.integers(0, 12)))
        assert tokenizer.decode_bytes(tokenizer.encode_word(raw)) == raw


@given(raw=st.binary(max_size=60))
def test_every_byte_string_survives_a_round_trip(raw):
    for tokenizer in BYTE_LEVEL[1:]:
        assert tokenizer.decode_bytes(tokenizer.encode_word(raw)) == raw


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.kind)
@given(data=st.data())
def test_streaming_gives_the_ids_of_the_whole(tokenizer, data):
    alphabet = st.sampled_from(sorted(set(CORPUS) | set(" \n\t'")) if tokenizer.kind != "char" else sorted(set(CORPUS)))
    text = "".join(data.draw(st.lists(alphabet, max_size=60)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
    assert list(tokenizer.encode_stream(chunks)) == tokenizer.encode(text)


def test_streaming_does_not_wait_for_the_end():
    seen = []

    def chunks():
        for word in ["one ", "two ", "three ", "four "]:
            yield word
            seen.append(word)

    stream = RegexBPETokenizer.train(CORPUS, 256).encode_stream(chunks())
    next(stream)
    assert len(seen) < 4


STREAMED = [
    RegexBPETokenizer.train(CORPUS, 300, pattern, special=special)
    for pattern in (*PATTERNS, r"\S+(?=\s*\Z)|\S|\s+")  # the last one looks at the end of the text: nothing is certain
    for special in ((), (SPECIAL, SPECIAL + " x", "\n\nQ:", "<|"))  # the beginnings of one another, and space
]
PIECES = [*"ab'sLvré1234.!<|\r\n\t \x1c\u3000🙂", "  ", "\n\n", "'ll", "'RE", "\n \n", "   x", SPECIAL, "<|", "\n\nQ:"]


def check_random_streams(count: int) -> None:
    """Any cut of any text gives the ids of the whole, or the same refusal."""
    rng = np.random.default_rng(count)
    for number in range(count):
        tokenizer = STREAMED[number % len(STREAMED)]
        text = "".join(rng.choice(PIECES, int(rng.integers(1, 16))))
        cuts = np.sort(rng.integers(0, len(text) + 1, int(rng.choice([0, 1, 2, 5, len(text)]))))
        chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
        allowed = [s for s in tokenizer.special if rng.random() < 0.8]
        try:
            expected = tokenizer.encode(text, allowed)
        except TokenError as error:
            with pytest.raises(TokenError, match=re.escape(error.got)):
                list(tokenizer.encode_stream(chunks, allowed))
        else:
            assert list(tokenizer.encode_stream(chunks, allowed)) == expected, (tokenizer.pattern, chunks)


def test_a_stream_cut_anywhere_gives_the_ids_of_the_whole():
    check_random_streams(3_000)


@pytest.mark.long
def test_a_hundred_thousand_streams_give_the_ids_of_the_whole():
    check_random_streams(100_000)


def test_a_stream_of_one_chunk_keeps_the_space_before_a_word_together():
    corpus, text = "a\n\nb \n\n  \n\n   x  y" * 9, "a\n\nbbb ccc"
    for pattern in PATTERNS:
        tokenizer = RegexBPETokenizer.train(corpus, 300, pattern, special=["<|e|>"])
        assert list(tokenizer.encode_stream([text])) == tokenizer.encode(text)


def test_white_space_waits_for_the_line_end_that_it_may_belong_to():
    """GPT-4's pattern takes white space up to the last of several line ends as one word."""
    text = "a\n  \nb"
    tokenizer = RegexBPETokenizer.train("x\n  \ny" * 20, 262, "gpt4")
    assert len(tokenizer.encode(text)) == 3
    for cut in range(len(text)):
        assert list(tokenizer.encode_stream([text[:cut], text[cut:]])) == tokenizer.encode(text)


def test_a_pattern_of_ones_own_cuts_plain_letters_too():
    """By GPT-2's the apostrophe would begin a word, and n' could not be one token."""
    tokenizer = RegexBPETokenizer.train("n't" * 20, 258, r"\S+|\s+")
    assert len(tokenizer.encode("n't")) == 1 and len(tokenizer.encode("n't n't")) == 3


def test_a_special_token_cut_in_half_is_refused_or_allowed_as_a_whole_one():
    tokenizer = BYTE_LEVEL[3]
    chunks = ["the cat <|en", "d|> sat on the mat"]
    with pytest.raises(TokenError, match=r"'<\|end\|>' at position 8"):
        list(tokenizer.encode_stream(chunks))
    ids = list(tokenizer.encode_stream(chunks, allowed_special=[SPECIAL]))
    assert ids == tokenizer.encode("".join(chunks), [SPECIAL]) and tokenizer.special[SPECIAL] in ids


def test_a_stream_of_single_letters_is_scanned_a_few_times_only(monkeypatch):
    tokenizer, scanned = RegexBPETokenizer([]), []
    words = tokenizer._words

    class Counted:
        def finditer(self, text):
            scanned.append(len(text))
            return words.finditer(text)

    tokenizer._words = Counted()
    assert list(tokenizer.encode_stream("a" * 20_000)) == tokenizer.encode("a" * 20_000)
    assert sum(scanned) < 100_000


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.kind)
def test_decoding_token_by_token_gives_the_same_text(tokenizer):
    text = "naïve café 🙂🙂" if tokenizer.kind != "char" else "café 🙂"
    stream = tokenizer.stream_decoder()
    pieces = [stream.push(token) for token in tokenizer.encode(text)] + [stream.finish()]
    assert "".join(pieces) == text
    assert all("\ufffd" not in piece for piece in pieces)


def test_half_a_character_at_the_end_shows_as_replacement():
    stream = ByteTokenizer().stream_decoder()
    assert [stream.push(0xF0), stream.push(0x9F), stream.finish()] == ["", "", "\ufffd"]


words = st.dictionaries(st.lists(st.integers(0, 3), max_size=9).map(tuple), st.integers(1, 5), max_size=8)
LETTERS = [b"a", b"b", b"c", b"d"]


@given(words=words, extra=st.integers(0, 12))
def test_fast_learning_equals_plain_learning_ties_included(words, extra):
    assert learn_merges(words, LETTERS, 4 + extra) == learn_merges_plainly(words, LETTERS, 4 + extra)


@given(words=words, word=st.lists(st.integers(0, 3), max_size=30))
def test_fast_merging_equals_plain_merging(words, word):
    merges = learn_merges(words, LETTERS, 16)
    ranks = {pair: (rank, 4 + rank) for rank, pair in enumerate(merges)}
    assert apply_merges_to_long(word, ranks) == apply_merges_plainly(word, ranks)


def lines_run(function, *arguments) -> int:
    """How many lines of Python a call runs in the file of the function: its operations, whatever the machine does."""
    count, file, before = 0, function.__code__.co_filename, sys.gettrace()

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace if frame.f_code.co_filename == file else None

    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("letters", [1, 2, 4])
def test_learning_from_one_long_word_is_linearithmic(letters):
    rng = np.random.default_rng(0)
    counts = []
    for length in (500, 1000, 2000, 4000):
        word = tuple(rng.integers(0, letters, length).tolist())
        counts.append(lines_run(learn_merges, {word: 1}, LETTERS, 10_000))  # until the word is one token
    assert all(more < 2.5 * less for less, more in zip(counts, counts[1:])), counts
    assert counts[-1] < 10 * 4000 * np.log2(4000)


def test_the_pieces_of_special_tokens_are_not_learned():
    special, parts = ["<|end|>", "<|end|>!"], ["low lower", " lowest", " <end> |", "end "]
    text = parts[0] + special[1] + parts[1] + special[0] + parts[2] + special[0] * 50 + parts[3]
    for pattern in PATTERNS:
        trained = RegexBPETokenizer.train(text, 300, pattern, special)
        words = Counter(tuple(BYTE_ORDER.index(b) for b in w.encode()) for p in parts for w in trained.words(p))
        assert trained.merges == learn_merges_plainly(words, [bytes((b,)) for b in BYTE_ORDER], 298)
    with pytest.raises(DataError, match="special tokens"):
        RegexBPETokenizer.train("<|end|>", 300, special=special)


def test_the_smallest_of_equally_frequent_pairs_is_merged_first():
    # "ab", "cd" and "ba" once each: all pairs are equal, (0, 1) is the smallest
    assert learn_merges({(2, 3): 1, (1, 0): 1, (0, 1): 1}, LETTERS, 7) == [(0, 1), (1, 0), (2, 3)]


def test_without_two_tokens_in_a_word_there_is_no_pair():
    assert best_pair([((0,), 9), ((), 1)]) is None
    assert best_pair([((0, 1), 2), ((1, 0), 3)]) == (1, 0)


def test_all_merges_of_the_tales_are_those_of_tokenizers():
    root = Path(__file__).resolve().parents[2]
    golden = json.loads((root / "tests/goldens/tales_merges.json").read_text(encoding="utf-8"))
    tokenizer = RegexBPETokenizer.train((root / "data/tales/train.txt").read_text(encoding="utf-8"), 10_000)
    letters = [chr(byte) if i < 188 else chr(256 + i - 188) for i, byte in enumerate(BYTE_ORDER)]
    shown = ["".join(letters[BYTE_ORDER.index(byte)] for byte in token) for token in tokenizer.tokens]
    assert [f"{shown[a]} {shown[b]}" for a, b in tokenizer.merges] == golden["rows"]


def test_overlapping_pairs_are_merged_from_the_left():
    assert apply_merges_plainly([0, 0, 0], {(0, 0): (0, 4)}) == [4, 0]
    assert apply_merges_to_long([0, 0, 0], {(0, 0): (0, 4)}) == [4, 0]


@pytest.mark.parametrize("name", PATTERNS)
@given(text=st.text(st.characters(max_codepoint=127), max_size=40))
def test_the_ascii_pattern_cuts_as_the_whole_one(name, text):
    assert ASCII_PATTERNS[name].findall(text) == regex.findall(PATTERNS[name], text)


@pytest.mark.parametrize("name", PATTERNS)
@given(text=TEXT)
def test_a_pattern_loses_no_character(name, text):
    assert "".join(RegexBPETokenizer([], name).words(text)) == text


def test_a_comma_is_not_part_of_a_word_and_a_space_begins_one():
    assert RegexBPETokenizer([]).words("Hello, world") == ["Hello", ",", " world"]


def test_hello_with_and_without_a_space_are_different_words():
    tokenizer = RegexBPETokenizer.train("Hello Hello Hello", 270)
    assert tokenizer.encode("Hello") != tokenizer.encode(" Hello")


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.kind)
def test_what_is_saved_is_loaded(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    loaded = load_tokenizer(tmp_path)
    assert type(loaded) is type(tokenizer)
    assert loaded.to_dict() == tokenizer.to_dict()
    assert loaded.encode("the cat sat") == tokenizer.encode("the cat sat")


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.kind)
def test_the_array_holds_the_same_ids(tokenizer):
    ids = tokenizer.encode_array("the cat")
    assert ids.dtype == np.int64
    assert ids.tolist() == tokenizer.encode("the cat")


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.kind)
@pytest.mark.parametrize("shift", [-1, 0, 1000])
def test_an_id_outside_the_vocabulary_is_named(tokenizer, shift):
    bad = -1 if shift < 0 else tokenizer.vocab_size + shift
    with pytest.raises(TokenError, match=f"got {bad}"):
        tokenizer.decode([bad])


def test_an_unknown_character_is_named_with_its_place():
    with pytest.raises(TokenError, match=r"'Q' \(U\+0051\) at position 4"):
        CharTokenizer("abcd").encode("abcdQa")


def test_a_lone_surrogate_is_refused():
    for tokenizer in ALL:
        with pytest.raises(TokenError):
            tokenizer.encode("ab\ud800")


def test_special_text_is_refused_unless_allowed():
    tokenizer = BYTE_LEVEL[3]
    with pytest.raises(TokenError, match="position 4"):
        tokenizer.encode("the " + SPECIAL)
    ids = tokenizer.encode("the " + SPECIAL, allowed_special=[SPECIAL])
    assert ids[-1] == tokenizer.special[SPECIAL] == tokenizer.vocab_size - 1
    assert tokenizer.decode(ids) == "the " + SPECIAL
    assert tokenizer.special[SPECIAL] not in tokenizer.encode_ordinary("the " + SPECIAL)


def test_training_fills_the_vocabulary_or_stops_when_nothing_is_left():
    assert RegexBPETokenizer.train(CORPUS, 280).vocab_size == 280
    assert RegexBPETokenizer.train("ab", 300).vocab_size == 257
    assert BPETokenizer.train("a", 300).vocab_size == 256


@pytest.mark.parametrize(
    "train", [CharTokenizer.train, lambda t: BPETokenizer.train(t, 300), lambda t: RegexBPETokenizer.train(t, 300)]
)
def test_an_empty_corpus_is_refused(train):
    with pytest.raises(DataError, match="empty"):
        train("")


def test_a_vocabulary_without_room_for_bytes_is_refused():
    with pytest.raises(ArgumentError, match="256"):
        BPETokenizer.train("abc", 255)


def test_a_bad_pattern_is_refused():
    with pytest.raises(ArgumentError, match="pattern"):
        RegexBPETokenizer([], "(")


BAD_DOCUMENTS = [
    [], {}, {"type": "other"}, {"type": "char"}, {"type": "char", "alphabet": "aa"}, {"type": "char", "alphabet": ""},
    {"type": "char", "alphabet": 3}, {"type": "bpe"}, {"type": "bpe", "merges": 3}, {"type": "bpe", "merges": [[1]]},
    {"type": "bpe", "merges": [[1, "2"]]}, {"type": "bpe", "merges": [[1, 300]]}, {"type": "bpe", "merges": [[1, 2], [1, 2]]},
    {"type": "bpe", "merges": [[-1, 2]]}, {"type": "regex_bpe", "merges": []},
    {"type": "regex_bpe", "merges": [], "pattern": "gpt2", "special": {"x": 3}},
    {"type": "regex_bpe", "merges": [], "pattern": "gpt2", "special": {"x": "256"}},
]  # fmt: skip


@pytest.mark.parametrize("document", BAD_DOCUMENTS, ids=str)
def test_an_altered_file_is_refused(document, tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(CheckpointError):
        load_tokenizer(tmp_path)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match="JSON"):
        load_tokenizer(tmp_path)
    with pytest.raises(CheckpointError):
        load_tokenizer(tmp_path / "missing")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        ByteTokenizer().save(tmp_path / "nowhere" / "tokenizer.json")


def test_gpt2s_own_files_give_the_published_ids(real_data):
    tokenizer = RegexBPETokenizer.from_gpt2_files(real_data("gpt2/encoder.json"), real_data("gpt2/vocab.bpe"))
    # the ids that OpenAI's own encoder gives
    assert tokenizer.encode("Hello, world! It's 2019.") == [15496, 11, 995, 0, 632, 338, 13130, 13]
    assert tokenizer.special == {"<|endoftext|>": 50256}
    random.seed(0)
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert again.encode("naïve 🙂 café") == tokenizer.encode("naïve 🙂 café")


def test_gpt2_files_that_do_not_fit_are_refused(real_data, tmp_path):
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\nQQQ x\n", encoding="utf-8")
    with pytest.raises(DataError, match="earlier tokens"):
        RegexBPETokenizer.from_gpt2_files(real_data("gpt2/encoder.json"), tmp_path / "vocab.bpe")
    with pytest.raises(DataError, match=r"encoder\.json"):
        RegexBPETokenizer.from_gpt2_files(tmp_path / "none", tmp_path / "vocab.bpe")
