"""chrF is what its papers say, and what sacrebleu says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import corpus_chrf


def test_a_case_counted_by_hand():
    found = corpus_chrf(["ab abc"], ["abd ab"])  # "ababc" and "abdab": n-grams over the gap
    assert found.matches == (4, 2, 0, 0, 0, 0)  # a a b b; ab twice
    assert found.counts == found.reference_counts == (5, 4, 3, 2, 1, 0)
    assert found.precision == found.recall == pytest.approx((4 / 5 + 2 / 4) / 5)
    assert found.score == pytest.approx(26)


def test_recall_counts_twice():
    found = corpus_chrf(["a"], ["ab"])
    assert (found.precision, found.recall) == (1, 1 / 2) and found.score == pytest.approx(100 * 5 / 9)
    found = corpus_chrf(["ab"], ["a"])  # of the order without n-grams in the reference nothing counts
    assert found.counts == (2, 0, 0, 0, 0, 0)
    assert (found.precision, found.recall) == (1 / 2, 1) and found.score == pytest.approx(100 * 5 / 6)


def test_words_and_marks_are_more_orders_of_chrf_plus_plus():
    found = corpus_chrf(["(ab c)!"], ["ab c !"], word_order=2)
    # "(ab", "c)", "!" against "ab", "c", "!": a mark at the end goes before one at the beginning, and one mark is parted
    assert found.matches[6:] == (2, 0) and found.counts[6:] == (4, 3) and found.reference_counts[6:] == (3, 2)
    assert corpus_chrf(["a. abc."], ["a . abc ."], word_order=2).score == pytest.approx(100)
    assert len(corpus_chrf(["a"], ["a"]).matches) == 6 and len(corpus_chrf(["a"], ["a"], word_order=1).matches) == 7
    assert corpus_chrf([".. ,a b,"], [". . , a b ,"], word_order=1).matches[6] == 6


def test_the_same_texts_have_a_hundred_and_nothing_has_none():
    texts = ["the cat sat", "on a mat"]
    assert corpus_chrf(texts, texts).score == pytest.approx(100) == corpus_chrf(texts, texts, word_order=2).score
    for candidate, reference in (("", ""), ("", "a b"), ("a b", ""), ("a b", "c d"), (" \n", " ")):
        found = corpus_chrf([candidate], [reference], word_order=2)
        assert (found.score, found.precision, found.recall) == (0, 0, 0)


def test_counts_are_added_up_before_shares_are_taken():
    both = corpus_chrf(["ab", "cd"], ["ab", "cx"])
    assert both.matches[:3] == (3, 1, 0) and both.counts[:3] == (4, 2, 0)
    assert both.score == pytest.approx(100 * (3 / 4 + 1 / 2) / 2)


def test_of_several_references_the_best_counts_and_of_equals_the_first():
    found = corpus_chrf(["ab"], [["abc", "a"]])  # F_2 of the first: 1 and 7/12, of the second: 1/2 and 1
    assert found.reference_counts[:3] == (1, 0, 0) and found.score == pytest.approx(100 * 5 / 6)
    assert corpus_chrf(["ab"], [["cd", "efg"]]).reference_counts[:3] == (2, 1, 0)


def test_case_counts():
    assert corpus_chrf(["AB"], ["ab"]).score == 0


@given(st.lists(st.tuples(st.text("ab .", max_size=9), st.text("ab .", max_size=9)), min_size=1, max_size=4))
def test_the_score_is_a_percentage_and_white_space_is_nothing(pairs):
    candidates, references = map(list, zip(*pairs))
    score = corpus_chrf(candidates, references).score
    assert 0 <= score <= 100 + 1e-9
    assert corpus_chrf([" ".join(c) for c in candidates], references).score == pytest.approx(score, rel=1e-12)


@pytest.mark.parametrize(
    ("candidates", "references", "words"),
    [([], [], "candidates: .*at least one"), (["a"], [], "references: .*one a candidate"), ("a", ["a"], "candidates: .*list"), ([None], ["a"], r"candidates\[0\]"), (["a"], [["a", 3]], r"references\[0\]\[1\]"), (["a b"], [["a", "b"]], "words")],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(candidates, references, words):
    with pytest.raises(DataError, match=words):
        corpus_chrf(candidates, references)


@pytest.mark.parametrize("order", [-1, 1.5, None])
def test_an_impossible_order_is_refused(order):
    with pytest.raises(ArgumentError, match="word_order: expected a whole number of at least 0"):
        corpus_chrf(["a"], ["a"], word_order=order)


@pytest.mark.oracle
@pytest.mark.parametrize("word_order", [0, 1, 2])
def test_a_thousand_random_corpora_have_sacrebleus_score(word_order):
    from sacrebleu.metrics import CHRF

    draw, theirs, seen = random.Random(word_order), CHRF(word_order=word_order), set()
    for _ in range(1000):
        letters = "abcde.,-' "[: draw.randint(2, 10)]
        text = lambda letters=letters: "".join(draw.choices(letters + " ", k=draw.choice([0, 1, 2, 5, 9, 20, 40])))
        count, size = draw.randint(1, 3), draw.randint(1, 4)
        candidates = [text() for _ in range(size)]
        references = [[text() + " x y" for _ in range(count)] for _ in range(size)]
        if count == 1:
            references = [[text()] for _ in range(size)]
        expected = theirs.corpus_score(candidates, [list(column) for column in zip(*references)]).score
        assert corpus_chrf(candidates, references, word_order=word_order).score == pytest.approx(expected, abs=1e-9)
        seen.add(round(expected, 6))
    assert len(seen) > 500
