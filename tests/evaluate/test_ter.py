"""TER is what its paper says, and what sacrebleu says."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate import corpus_ter, ter
from tinygrad_llm.evaluate.ter import count_edits, shifted

# Snover et al., 2006, section 2
REFERENCE = "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times"
CANDIDATE = "THIS WEEK THE SAUDIS denied information published in the new york times"


def test_the_papers_own_example():
    found = corpus_ter([CANDIDATE], [REFERENCE])
    assert (found.edits, found.length) == (4, 13)  # a shift, two exchanges, one word put in
    assert found.score == pytest.approx(100 * 4 / 13)


@pytest.mark.parametrize(
    ("own", "other", "edits"),
    [
        ("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "a c", 1), ("a c", "a b c", 1), ("", "a b", 2), ("a b", "", 2), ("", "", 0),
        ("c d a b", "a b c d", 1), ("d a b c", "a b c d", 1), ("b c d a", "a b c d", 1), ("a e f b c d", "a b c d e f", 1),
        ("d c b a", "a b c d", 3), ("b a d c", "a b c d", 2), ("e f x a b", "a b e f", 2), ("A b", "a b", 1),
    ],
)  # fmt: skip
def test_edits_counted_by_hand(own, other, edits):
    assert count_edits(own.split(), other.split()) == edits


def test_edits_and_lengths_are_added_up_over_the_corpus():
    found = corpus_ter(["a b c", "b a"], ["a x c d e", "a b"])
    assert (found.edits, found.length, found.score) == (4, 7, pytest.approx(400 / 7))


def test_the_nearest_reference_counts_and_the_mean_length():
    found = corpus_ter(["a b c"], [["x y z w", "a b", "a b d c"]])
    assert (found.edits, found.length, found.score) == (1, 10 / 3, pytest.approx(30))


def test_more_than_a_hundred_and_nothing():
    assert corpus_ter(["a b c"], ["d"]).score == 300
    assert corpus_ter(["a"], [""]).score == 100 and corpus_ter([" "], [""]).score == 0
    assert corpus_ter(["a b c"], ["a b c"]).score == 0 and corpus_ter([""], ["a b"]).score == 100


def levenshtein(own, other):
    @functools.cache
    def d(i, j):
        if not i or not j:
            return i + j
        return min(d(i - 1, j - 1) + (own[i - 1] != other[j - 1]), d(i - 1, j) + 1, d(i, j - 1) + 1)

    return d(len(own), len(other))


def fewest(own, other):
    """The least edits with any shifts of any runs, by trying all of them."""
    best, seen, now = levenshtein(own, other), {own}, [own]
    for shifts in range(1, best):
        then = set()
        for words in now:
            for i in range(len(words)):
                for j in range(i + 1, len(words) + 1):
                    run, rest = words[i:j], words[:i] + words[j:]
                    then |= {rest[:k] + run + rest[k:] for k in range(len(rest) + 1)}
        now = then - seen
        seen |= then
        best = min([best, *(shifts + levenshtein(words, other) for words in now)])
    return best


def test_edits_lie_between_the_fewest_there_are_and_those_without_shifts():
    draw, shifted, greedy = random.Random(0), 0, 0
    for _ in range(250):
        own = "".join(draw.choices("abcdef", k=draw.randint(0, 6)))
        other = "".join(moved_about(draw, list(own)))
        found, least, most = count_edits(own, other), fewest(own, other), levenshtein(own, other)
        assert least <= found <= most
        shifted, greedy = shifted + (found < most), greedy + (found > least)
    assert shifted > 30 and greedy < 10


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_no_more_than_all_words_and_no_less_than_the_lengths_differ(own, other):
    found = count_edits(own, other)
    assert abs(len(own) - len(other)) <= found <= max(len(own), len(other))
    assert (found == 0) == (own == other)


def test_runs_up_to_ten_words_are_shifted_and_up_to_fifty_places():
    words = [str(i) for i in range(200)]
    for length, edits in ((10, 1), (11, 2)):  # of eleven, ten and then one
        assert count_edits(words[20 : 20 + length] + words[:20], words[:20] + words[20 : 20 + length]) == edits
    for far, edits in ((50, 1), (51, 2)):
        assert count_edits([words[far], *words[:far]], words[: far + 1]) == edits
        assert count_edits([*words[1 : far + 1], words[0]], words[: far + 1]) == edits
    assert count_edits([*words[:60], "x", "y"], [*words[:57], "y", *words[57:60], "x"]) == 1  # as far in a long text


@pytest.mark.parametrize(
    ("shift", "order"),
    [((3, 2, 1), [0, 3, 4, 1, 2, 5]), ((1, 2, 5), [0, 3, 4, 1, 2, 5]), ((1, 2, 4), [0, 3, 1, 2, 4, 5]), ((1, 2, 0), [1, 2, 0, 3, 4, 5]), ((1, 2, 6), [0, 3, 4, 5, 1, 2]),
     ((1, 2, 1), [0, 1, 2, 3, 4, 5]), ((1, 2, 2), [0, 3, 1, 2, 4, 5]), ((1, 2, 3), [0, 3, 4, 1, 2, 5])],
)  # fmt: skip
def test_a_run_is_put_before_a_word_and_where_that_is_its_own_as_far_to_the_right(shift, order):
    assert shifted(6, shift).tolist() == order


# sacrebleu 2.6.0 with _MAX_SHIFT_CANDIDATES of `enough` and of one less
@pytest.mark.parametrize(
    ("own", "other", "enough", "edits", "without"),
    [("b a b a a b b b a", "a b a b b b a b a", 42, 2, 3), ("d g e h b h a f f", "d h f a g e x b f", 18, 5, 7), ("d a b c", "a b c d", 2, 1, 2)],
)  # fmt: skip
def test_once_as_many_shifts_were_tried_as_may_be_no_further_one_is_made(
    own, other, enough, edits, without, monkeypatch
):
    for most, expected in ((enough, edits), (enough - 1, without)):
        monkeypatch.setattr(ter, "MOST_SHIFTS_TRIED", most)
        assert count_edits(own.split(), other.split()) == expected


def test_a_text_of_one_word_again_and_again_ends():
    assert 20 <= count_edits(["a"] * 60, ["b", "a"] * 40) <= 80


@pytest.mark.parametrize(
    ("candidates", "references", "words"),
    [([], [], "candidates: .*at least one"), (["a"], [], "references: .*one a candidate"), ("a", ["a"], "candidates: .*list"), ([None], ["a"], r"candidates\[0\]"), (["a"], [[]], r"references\[0\]: .*at least one")],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(candidates, references, words):
    with pytest.raises(DataError, match=words):
        corpus_ter(candidates, references)


# sacrebleu 2.6.0, TER(case_sensitive=True): cases in which another choice among shifts gives another number
GOLDENS = [
    ("b a b a a b b b a", "a b a b b b a b a", 2),
    ("b a a c a", "d c a b a a d d", 4),
    ("d g e h b h a f f", "d h f a g e x b f", 5),
    ("b a b b a", "b a a b b", 1),
    ("a a a a b c", "b c a a a a", 1),
]


@pytest.mark.parametrize(("own", "other", "edits"), GOLDENS)
def test_edits_that_sacrebleu_counted(own, other, edits):
    assert count_edits(own.split(), other.split()) == edits


def moved_about(draw, words):
    """The words with runs of them shifted, and some of them others."""
    for _ in range(draw.randint(0, 3)):
        start, length, to = draw.randrange(len(words) + 1), draw.randint(1, 5), draw.randrange(len(words) + 1)
        run, rest = words[start : start + length], words[:start] + words[start + length :]
        words = rest[:to] + run + rest[to:]
    return [draw.choice("abcx") if draw.random() < 0.1 else word for word in words if draw.random() < 0.9]


@pytest.mark.oracle
@pytest.mark.parametrize("count", [1, 2])
def test_a_thousand_random_corpora_have_sacrebleus_score(count):
    from sacrebleu.metrics import TER

    draw, theirs, scores = random.Random(count), TER(case_sensitive=True), []
    for _ in range(1000):
        vocabulary = [chr(ord("a") + i) for i in range(draw.choice([2, 5, 20]))]
        candidates, references = [], []
        for _ in range(draw.randint(1, 2)):
            words = draw.choices(vocabulary, k=draw.choice([0, 2, 4, 8, 12]))
            candidates.append(" ".join(words))
            references.append(
                [" ".join([*moved_about(draw, words), "x", "y"][: 99 if count > 1 else -2]) for _ in range(count)]
            )
        expected = theirs.corpus_score(candidates, [list(column) for column in zip(*references)])
        found = corpus_ter(candidates, references)
        assert (found.edits, found.length) == (expected.num_edits, pytest.approx(expected.ref_length))
        assert found.score == pytest.approx(expected.score, rel=1e-12)
        scores.append(found.score)
    assert np.std(scores) > 10


@pytest.mark.oracle
def test_two_hundred_pairs_of_long_texts_and_of_two_words_have_sacrebleus_edits():
    from sacrebleu.metrics.lib_ter import translation_edit_rate

    draw = random.Random(0)
    for _ in range(200):
        words = draw.choices("ab" if draw.random() < 0.5 else "abcdefghijklmnop", k=draw.choice([16, 20, 24]))
        other = moved_about(draw, words)
        assert count_edits(words, other) == translation_edit_rate(words, other)[0]
