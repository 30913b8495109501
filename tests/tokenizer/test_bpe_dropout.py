"""A word may be spelled in more than one way, and pairs that are too rare are not learned."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.tokenizer import BPETokenizer, RegexBPETokenizer
from tinygrad_llm.tokenizer.merges import apply_merges_plainly, learn_merges, learn_merges_plainly

WORDS = st.dictionaries(
    st.lists(st.integers(0, 2), min_size=1, max_size=9).map(tuple), st.integers(1, 5), min_size=1, max_size=6
)
TOKENS = [b"a", b"b", b"c"]
RANKS = {(0, 1): (0, 3), (3, 2): (1, 4), (1, 2): (2, 5), (0, 0): (3, 6)}


def spellings(word, ranks, dropout):
    """Each spelling of a word and its probability, by all ways in which the known pairs can be left out."""
    known = [i for i, pair in enumerate(zip(word, word[1:])) if pair in ranks]
    found = Counter()
    for kept in product((True, False), repeat=len(known)):
        probability = (1 - dropout) ** sum(kept) * dropout ** (len(kept) - sum(kept))
        places = [i for i, keep in zip(known, kept) if keep]
        if not places:
            found[word] += probability
            continue
        at = min(places, key=lambda i: (ranks[word[i], word[i + 1]][0], i))
        for spelling, share in spellings(
            (*word[:at], ranks[word[at], word[at + 1]][1], *word[at + 2 :]), ranks, dropout
        ).items():
            found[spelling] += probability * share
    return found


@pytest.mark.parametrize("dropout", [Fraction(1, 10), Fraction(1, 2)])
@pytest.mark.parametrize("word", [(0, 1, 2), (0, 0, 1, 2), (1, 2, 0, 1, 2)])
def test_each_spelling_has_the_probability_of_its_dropped_pairs(word, dropout):
    exact = spellings(word, RANKS, dropout)
    assert sum(exact.values()) == 1
    rng, count = np.random.default_rng(0), 4000
    seen = Counter(tuple(apply_merges_plainly(word, RANKS, float(dropout), rng)) for _ in range(count))
    assert set(seen) <= set(exact)
    for spelling, probability in exact.items():
        deviation = (float(probability) * (1 - float(probability)) / count) ** 0.5
        assert abs(seen[spelling] / count - float(probability)) < 4.5 * deviation, spelling


@given(st.lists(st.integers(0, 2), max_size=12), st.integers(0, 99))
def test_no_dropout_is_the_rule_and_full_dropout_is_bytes(word, seed):
    rng = np.random.default_rng(seed)
    assert apply_merges_plainly(word, RANKS, 0.0, rng) == apply_merges_plainly(word, RANKS)
    assert apply_merges_plainly(word, RANKS, 1.0, rng) == word


@pytest.mark.parametrize("kind", [BPETokenizer, RegexBPETokenizer])
@pytest.mark.parametrize("dropout", [0.0, 0.2, 1.0])
def test_every_spelling_reads_as_the_text(kind, dropout):
    text = "the cat sat on the mat, the cat sat 🙂 " * 3
    tokenizer, rng = kind.train(text, 300), np.random.default_rng(1)
    drawn = [tokenizer.encode_with_dropout(text, dropout, rng) for _ in range(20)]
    assert all(tokenizer.decode(ids) == text for ids in drawn)
    if dropout == 0:
        assert drawn == [tokenizer.encode(text)] * 20
    elif dropout == 1:
        assert all(max(ids) < 256 for ids in drawn)
    else:
        assert len(set(map(tuple, drawn))) > 10
        assert np.mean([len(ids) for ids in drawn]) > len(tokenizer.encode(text))


@pytest.mark.parametrize("dropout", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(dropout):
    tokenizer = BPETokenizer.train("aaab", 257)
    with pytest.raises(ArgumentError, match="dropout"):
        tokenizer.encode_with_dropout("aaab", dropout, np.random.default_rng(0))


@given(WORDS, st.integers(1, 8))
def test_training_stops_where_no_pair_is_frequent_enough(words, least):
    plain = learn_merges_plainly(words, TOKENS, 20, least)
    assert learn_merges(words, TOKENS, 20, least) == plain
    assert learn_merges_plainly(words, TOKENS, 20)[: len(plain)] == plain
    if any(sum(n for word, n in words.items() if pair in set(zip(word, word[1:]))) >= least for pair in RANKS):
        assert plain


@pytest.mark.parametrize("kind", [BPETokenizer, RegexBPETokenizer])
def test_a_pair_that_occurs_once_is_learned_unless_twice_is_asked(kind):
    text = "abab cd"
    assert [kind.train(text, 300).token_bytes(i) for i in (256,)] == [b"ab"]
    twice = kind.train(text, 300, min_frequency=2)
    assert twice.tokens[256:] == [b"ab"]
    assert kind.train(text, 300, min_frequency=3).tokens[256:] == []
    for least in (0, 1.5):
        with pytest.raises(ArgumentError, match="min_frequency"):
            kind.train(text, 300, min_frequency=least)
    with pytest.raises(ArgumentError, match="vocab_size"):
        kind.train(text, 300.5)


@pytest.mark.oracle
@pytest.mark.parametrize("least", [1, 2, 3, 7])
def test_tokenizers_stops_at_the_same_merge(least):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    text = "low low low lower lower newest newest newest widest widest, the lowest of the low. " * 2 + "owls slow"
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    theirs.train_from_iterator(
        [text],
        trainers.BpeTrainer(vocab_size=400, min_frequency=least, initial_alphabet=alphabet, show_progress=False),
    )
    assert theirs.get_vocab_size() == RegexBPETokenizer.train(text, 400, min_frequency=least).vocab_size


@pytest.mark.oracle
def test_tokenizers_draws_spellings_with_the_same_probabilities():
    from tokenizers import Tokenizer, models

    # No two known pairs share a letter: in its queue a pair that another merge has taken apart is an entry still, and
    # when that is drawn, those left out before it have one more chance, which the paper does not give them.
    vocab = {"a": 0, "b": 1, "c": 2, "d": 3, "ab": 4, "cd": 5, "abcd": 6}
    merges = [("a", "b"), ("c", "d"), ("ab", "cd")]
    ranks = {(0, 1): (0, 4), (2, 3): (1, 5), (4, 5): (2, 6)}
    theirs, count = Tokenizer(models.BPE(vocab, merges, dropout=0.3)), 20_000
    for word in ("ab", "abcd", "cdabcd", "abab"):
        exact = spellings(tuple("abcd".index(letter) for letter in word), ranks, Fraction(3, 10))
        seen = Counter(tuple(theirs.encode(word).ids) for _ in range(count))
        far = sum(abs(seen[s] / count - float(exact[s])) for s in exact.keys() | seen.keys()) / 2
        assert far < 0.03, word  # some 0.006 are expected of 20,000 draws
