"""Byte-pair encoding against its definition in ten lines, over words with repetitions, ties and shared spellings."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, CheckpointError, DataError
from tinygrad_llm.tokenizer import BPETokenizer, RegexBPETokenizer
from tinygrad_llm.tokenizer import regex_bpe as module
from tinygrad_llm.tokenizer.merges import apply_merges, apply_merges_plainly, apply_merges_to_long, learn_merges
from tinygrad_llm.tokenizer.regex_bpe import BYTE_TOKENS

LETTERS = [b"a", b"b", b"c", b"d"]


def replaced(word, pair, new):
    """From the left, without overlap."""
    out = []
    for symbol in word:
        if out and (out[-1], symbol) == pair:
            out[-1] = new
        else:
            out.append(symbol)
    return out


def learned(words, vocab_size):
    """The definition: count all pairs, join the most frequent, of equals that with the smallest ids; begin again."""
    spelled, merges, current = list(LETTERS), [], {tuple(word): (list(word), n) for word, n in words.items()}
    while len(spelled) < vocab_size:
        pairs = Counter()
        for word, n in current.values():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        joined = spelled[best[0]] + spelled[best[1]]
        spelled += [] if joined in spelled else [joined]
        merges.append(best)
        fused = 1000 + spelled.index(joined)  # no symbol that is still to be read
        for word, _ in current.values():
            word[:] = [s % 1000 for s in replaced(word, best, fused)]
    return merges


def applied(word, ranks):
    """The definition: the merge learned first, wherever it is, from the left; again, until there is none."""
    word = list(word)
    while found := [ranks[pair] for pair in zip(word, word[1:]) if pair in ranks]:
        rank, new = min(found)
        pair = next(p for p, (r, _) in ranks.items() if r == rank)
        at = next(i for i, p in enumerate(zip(word, word[1:])) if p == pair)
        word[at : at + 2] = [new]
    return word


def random_words(rng):
    """Words of one to four letters in all ways: repeated ones, long ones, runs of one letter; many equal counts."""
    letters, words = int(rng.integers(1, 5)), {}
    for _ in range(int(rng.integers(1, 7))):
        length = int(rng.choice([1, 2, 3, 5, 9, 20, 40]))
        unit = rng.integers(0, letters, length).tolist()
        words[tuple(unit * int(rng.integers(1, 4)))] = int(rng.integers(1, 4))
    return words


def test_learning_is_its_definition_on_repeated_and_long_words():
    rng = np.random.default_rng(0)
    for _ in range(600):
        words, size = random_words(rng), 4 + int(rng.integers(0, 30))
        assert learn_merges(words, LETTERS, size) == learned(words, size), (words, size)


def test_applying_is_its_definition_on_repeated_and_long_words():
    rng = np.random.default_rng(1)
    for _ in range(400):
        merges = learn_merges(random_words(rng), LETTERS, 20)
        vocabulary = list(LETTERS)
        ranks = {}
        for rank, (a, b) in enumerate(merges):
            joined = vocabulary[a] + vocabulary[b]
            vocabulary += [] if joined in vocabulary else [joined]
            ranks[a, b] = rank, vocabulary.index(joined)
        for word in random_words(rng):
            expected = applied(word, ranks)
            for way in (apply_merges_plainly, apply_merges_to_long, apply_merges):
                assert way(word, ranks) == expected, (way.__name__, word, merges)


def test_merges_are_applied_in_the_order_learned_and_not_in_that_of_their_ids():
    ranks = {(1, 2): (0, 9), (0, 1): (1, 8)}  # the merge learned first has the larger id
    for way in (apply_merges_plainly, apply_merges_to_long):
        assert way([0, 1, 2], ranks) == [0, 9]
        assert way([0, 1, 2] * 40, ranks) == [0, 9] * 40


def test_plain_bpe_joins_across_spaces_and_words_do_not():
    text = "to be or not to be " * 9
    plain, regex_ = BPETokenizer.train(text, 300), RegexBPETokenizer.train(text, 300)
    assert any(b" " in token[1:] for token in plain.tokens[256:])
    assert not any(b" " in token[1:] for token in regex_.tokens[256:])


@pytest.mark.parametrize("size", [256, 257, 260])
def test_a_trained_vocabulary_has_the_size_asked_for(size):
    text = "the cat sat on the mat " * 3
    for tokenizer in (
        BPETokenizer.train(text, size), RegexBPETokenizer.train(text, size), RegexBPETokenizer.train(text, size + 2, special=["<a>", "<b>"])
    ):  # fmt: skip
        special = 2 if getattr(tokenizer, "special", None) else 0
        assert tokenizer.vocab_size == len(tokenizer.tokens) == size + special
        assert len(tokenizer.merges) == size - 256


def test_words_count_as_often_as_they_stand_in_the_text():
    assert RegexBPETokenizer.train("zy zy zy zy ab ac ad", 257).tokens[256] == b"zy"


def spelled_twice():
    """ "abc" is a + bc and ab + c: two merges, one token."""
    a, b, c = (RegexBPETokenizer([]).encode_word(letter)[0] for letter in (b"a", b"b", b"c"))
    return [(a, b), (b, c), (256, c), (a, 257)]


def test_two_merges_that_spell_the_same_share_a_token():
    for kind, merges in (
        (RegexBPETokenizer, spelled_twice()), (BPETokenizer, [(97, 98), (98, 99), (256, 99), (97, 257)])
    ):  # fmt: skip
        tokenizer = kind(merges)
        assert tokenizer.vocab_size == 259 and tokenizer.tokens[256:] == [b"ab", b"bc", b"abc"]
        assert kind.from_dict(tokenizer.to_dict()).merges == merges
    rows = ["a b", "b c", "ab c", "a bc", "abc a"]
    merges, ids = module.merges_of_letters(rows)
    assert merges[:4] == spelled_twice() and ids["abc"] == 258 and ids["abca"] == 259 == len(ids) - 1


def test_a_vocabulary_needs_room_for_the_bytes_and_the_special_tokens():
    assert RegexBPETokenizer.train("ab ab", 258, special=["<a>", "<b>"]).merges == []
    for size, special in ((255, []), (256, ["<a>"]), (257, ["<a>", "<b>"])):
        with pytest.raises(ArgumentError, match="vocab_size"):
            RegexBPETokenizer.train("ab ab", size, special=special)


def test_a_text_of_special_tokens_alone_teaches_nothing():
    for text in ("<end>", "<end><end>"):
        with pytest.raises(DataError, match="special tokens"):
            RegexBPETokenizer.train(text, 300, special=["<end>"])


def test_merges_keep_their_order_when_they_are_saved():
    merges = [(98, 99), (97, 98), (97, 256)]
    again = BPETokenizer.from_dict(BPETokenizer(merges).to_dict())
    assert again.merges == merges and again.encode("abc") == [258]
    with pytest.raises(CheckpointError):
        BPETokenizer.from_dict({"type": "bpe", "merges": [[True, 2]]})


def test_the_cache_of_words_has_a_bound_and_what_is_beyond_it_is_encoded_too(monkeypatch):
    monkeypatch.setattr(module, "CACHE_SIZE", 3)
    tokenizer, words = RegexBPETokenizer.train("one two three " * 5, 270), [f"x{i}" for i in range(20)]
    once = [tokenizer.encode(word) for word in words]
    assert len(tokenizer._cache) == 3
    assert [tokenizer.encode(word) for word in words] == once == [tokenizer.encode_word(w.encode()[:1]) + tokenizer.encode_word(w.encode()[1:]) for w in words]  # fmt: skip


def test_a_word_that_is_a_token_is_merged_in_order_like_any_other():
    # bc is learned before ab, so "abc" is a and bc, although there is a token "abc"
    a, b, c = (BYTE_TOKENS.index(letter) for letter in (b"a", b"b", b"c"))
    tokenizer = RegexBPETokenizer([(b, c), (a, b), (257, c)])
    assert tokenizer.token_bytes(258) == b"abc"
    assert tokenizer.encode("abc") == tokenizer.encode_word(b"abc") == [a, 256]


@pytest.mark.oracle
def test_tokenizers_merges_such_a_word_in_order_too():
    from tokenizers import Tokenizer, models

    theirs = Tokenizer(
        models.BPE({"a": 0, "b": 1, "c": 2, "bc": 3, "ab": 4, "abc": 5}, [("b", "c"), ("a", "b"), ("ab", "c")])
    )
    assert theirs.encode("abc").ids == [0, 3]
