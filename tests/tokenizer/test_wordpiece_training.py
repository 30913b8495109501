"""WordPiece's vocabulary is learned by likelihood or by count, and by count as tokenizers learns it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.tokenizer import WordPieceTokenizer
from tinygrad_llm.tokenizer.wordpiece import SPECIAL
from tinygrad_llm.tokenizer.wordpiece_training import learn_likely_merges, learn_likely_merges_plainly, learn_pieces

HUGS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}  # the example of Hugging Face's course
LETTERS = ["b", "g", "h", "n", "p", "s", "u", "##g", "##n", "##s", "##u"]


def test_the_pair_that_meets_most_beyond_chance_is_learned_first():
    """##g ##s: 5 / (20 * 5) = 1/20, all others 1/36 and less. Then many have 1/36, and p ##u is the most frequent; then
    h ##u, b ##u and ##u ##gs have 1/19, and h ##u is the most frequent."""
    assert learn_pieces(HUGS, 14) == [*LETTERS, "##gs", "pu", "hu"]


def test_by_count_it_is_byte_pair_encoding():
    """##u ##g 20 times, p ##u 17 of which none is lost, but ##u ##n 16 is: 12 of them are after p."""
    assert learn_pieces(HUGS, 14, score="count") == [*LETTERS, "##ug", "##un", "hug"]


def test_no_pair_below_the_least_frequency_is_learned():
    assert learn_pieces(HUGS, 99, min_frequency=20) == [*LETTERS, "##ug"]  # 1/36; ##gs would be first, but has 5
    assert learn_pieces(HUGS, 99, min_frequency=21) == LETTERS
    assert learn_pieces(HUGS, 99, min_frequency=20, score="count") == [*LETTERS, "##ug"]
    assert learn_pieces(HUGS, 99, min_frequency=21, score="count") == LETTERS


def test_of_the_letters_the_most_frequent_are_kept_and_of_equals_the_first():
    """u 36, g 20, p 17, n 16, h 15, s 5, b 4."""
    assert learn_pieces(HUGS, 5, letters=3) == ["g", "p", "u", "##g", "##u"]
    assert learn_pieces({"ba": 1, "dc": 1}, 3, letters=2) == ["a", "b", "##a"]
    with_gaps = learn_pieces({"axb": 3, "xab": 1}, 99, letters=2, score="count")
    assert with_gaps == ["a", "b", "##a", "##b", "ab", "##ab"]  # x is left out: a ##b, and ##a ##b


def test_a_vocabulary_without_room_for_the_letters_is_refused():
    assert learn_pieces(HUGS, 11) == LETTERS
    with pytest.raises(ArgumentError, match="vocab_size: expected at least 11.*got 10.*letters="):
        learn_pieces(HUGS, 10)
    with pytest.raises(ArgumentError, match="score: expected likelihood or count"):
        learn_pieces(HUGS, 20, score="frequency")


@given(
    words=st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=8),
    more=st.integers(0, 20),
    least=st.integers(1, 4),
)
@example(words={"b": 2, "baaa": 1}, more=20, least=1)  # ##a ##a overlap: two pairs, but one is replaced
def test_counts_that_are_kept_give_the_merges_of_counts_taken_anew(words, more, least):
    tokens = [mark + letter for mark in ("", "##") for letter in "abc"]
    spelled = {tuple("abc".index(c) + 3 * (i > 0) for i, c in enumerate(word)): n for word, n in words.items()}
    found = learn_likely_merges(spelled, tokens, 6 + more, least)
    assert found == learn_likely_merges_plainly(spelled, tokens, 6 + more, least)


TEXT = "Un café, un CAFÉ! unable unaffable ables [MASK] affable\n" * 3


def test_a_trained_tokenizer_has_its_special_tokens_first_and_knows_every_word_of_its_text():
    tokenizer = WordPieceTokenizer.train(TEXT, 60, special=[*SPECIAL, "<x>"])
    assert tokenizer.vocabulary[:7] == [*SPECIAL, "<x>", "!"] and list(tokenizer.special) == [*SPECIAL, "<x>"]
    assert tokenizer.unk_id not in tokenizer.encode(TEXT, SPECIAL)
    assert tokenizer.decode(tokenizer.encode("unable café")) == "unable cafe"
    assert tokenizer.vocab_size <= 60
    assert "É" in "".join(WordPieceTokenizer.train(TEXT, 60, lowercase=False).vocabulary)


def test_the_size_counts_special_tokens_and_letters():
    for size in (36, 38, 40):
        assert WordPieceTokenizer.train(TEXT, size).vocab_size == size


def test_special_tokens_are_borders_and_not_learned_from():
    vocabulary = WordPieceTokenizer.train("ab[MASK]cd " * 3, 99).vocabulary
    assert vocabulary == [*SPECIAL, "a", "b", "c", "d", "##b", "##d", "ab", "cd"]


def test_it_learns_from_words_as_they_are_cut():
    assert WordPieceTokenizer.train("Ab, áb, AB,", 99).vocabulary == [*SPECIAL, ",", "a", "b", "##b", "ab"]


def test_a_word_with_a_letter_that_was_not_kept_is_unknown():
    tokenizer = WordPieceTokenizer.train("aab aab aac", 99, letters=2, score="count")
    assert tokenizer.encode("aab aac") == [tokenizer.id_of["aab"], tokenizer.unk_id]


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"text": " \n"}, DataError, "at least one word"), ({"text": "[MASK]"}, DataError, "at least one word"),
    ({"min_frequency": 0}, ArgumentError, "min_frequency"), ({"letters": 0}, ArgumentError, "letters"),
    ({"min_frequency": 1.5}, ArgumentError, "min_frequency"), ({"letters": 2.0}, ArgumentError, "letters"),
    ({"vocab_size": 60.5}, ArgumentError, "vocab_size"), ({"vocab_size": 8}, ArgumentError, "vocab_size"), ({"score": "bpe"}, ArgumentError, "score"),
])  # fmt: skip
def test_what_cannot_be_learned_from_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        WordPieceTokenizer.train(**{"text": TEXT, "vocab_size": 60, **options})


def test_a_pair_once_is_not_learned_unless_asked():
    assert "ab" not in WordPieceTokenizer.train("ab", 99).vocabulary
    assert "ab" in WordPieceTokenizer.train("ab", 99, min_frequency=1).vocabulary


# -- tokenizers ------------------------------------------------------------------------------------------------------


def theirs(words, size, first, **options):
    """WordPieceTrainer's vocabulary. It numbers letters that go on a word as its hash table has them, another way at
    each run, and ties follow the numbers: given as special tokens, letters have the numbers that they have here."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    other = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    other.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=first, show_progress=False, **options)
    other.train_from_iterator([" ".join([word] * count) for word, count in words.items()], trainer)
    ids = other.get_vocab()
    return sorted(ids, key=ids.get)


def agree(rng):
    words = {}
    for _ in range(int(rng.integers(1, 30))):
        word = "".join(rng.choice(list("aabbcdéß")) for _ in range(rng.integers(1, 9)))
        words[word] = int(rng.integers(1, 9))
    counts = Counter(letter for word, count in words.items() for letter in word * count)
    most = int(rng.integers(1, 9))
    ranked = sorted(counts, key=lambda letter: (-counts[letter], letter))
    if most < len(ranked) and counts[ranked[most - 1]] == counts[ranked[most]]:
        most = len(ranked)  # which of two equals is left out, its hash table says
    kept = sorted(ranked[:most])
    inside = sorted({letter for word in words for letter in word[1:]} & set(kept))
    first = ["[UNK]", *kept, *(f"##{letter}" for letter in inside)]
    size, least = len(first) + int(rng.integers(0, 40)), int(rng.integers(1, 5))
    ours = learn_pieces(words, size, special=["[UNK]"], min_frequency=least, letters=most, score="count")
    assert ours == theirs(words, size, first, min_frequency=least, limit_alphabet=most), words


@pytest.mark.oracle
def test_pieces_by_count_are_those_of_tokenizers():
    rng = np.random.default_rng(0)
    for _ in range(400):
        agree(rng)


@pytest.mark.oracle
@pytest.mark.long
def test_pieces_of_ten_thousand_corpora_are_those_of_tokenizers():
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        agree(rng)
