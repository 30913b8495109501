"""METEOR's exact part is what its paper says, and what nltk says without stems and synonyms."""

from __future__ import annotations

import random

import pytest

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate import meteor


def test_the_papers_example_has_two_chunks():
    """Section 2.2: "the president spoke to the audience" for "the president then spoke to the audience"."""
    found = meteor("the president spoke to the audience", "the president then spoke to the audience")
    assert (found.chunks, found.matches, found.precision, found.recall) == (2, 6, 1, 6 / 7)
    assert found.score == pytest.approx(10 * (6 / 7) / (6 / 7 + 9) * (1 - 0.5 * (2 / 6) ** 3), rel=1e-12)


def test_a_case_counted_by_hand():
    found = meteor("a b x d c", "a b c d")  # chunks a b, d, c; P 4/5, R 1
    assert (found.matches, found.chunks) == (4, 3)
    assert found.score == pytest.approx(8 / 8.2 * (1 - 27 / 64 / 2), rel=1e-12)


def test_recall_counts_nine_times_as_much_as_precision():
    long, short = meteor("a b c d", "a b"), meteor("a b", "a b c d")
    assert long.score == pytest.approx(10 * 0.5 / (1 + 4.5) * (1 - 1 / 16))
    assert short.score == pytest.approx(10 * 0.5 / (0.5 + 9) * (1 - 1 / 16)) and short.score < long.score


def test_the_same_text_lacks_what_one_chunk_costs_and_nothing_shared_is_0():
    assert meteor("A b c", "a B c").score == pytest.approx(1 - 1 / 54)
    for candidate, reference in (("", ""), ("", "a"), ("a", ""), ("a b", "c d")):
        assert meteor(candidate, reference).score == 0


def test_a_word_is_matched_no_more_often_than_it_stands_there():
    assert meteor("the the the", "the cat").matches == 1 and meteor("the cat", "the the the").matches == 1


def test_of_several_references_the_best_counts():
    assert meteor("a b", ["c", "a b", "a"]) == meteor("a b", "a b")


@pytest.mark.parametrize(("candidate", "references"), [(["a"], "a"), ("a", []), ("a", [1]), (None, "a")])
def test_anything_but_texts_is_refused(candidate, references):
    with pytest.raises(DataError):
        meteor(candidate, references)


@pytest.mark.oracle
def test_a_thousand_texts_have_nltks_score():
    from nltk.translate.meteor_score import _count_chunks, exact_match, meteor_score

    class Same:  # no stems …
        def stem(self, word):
            return word

    class Nothing:  # … and no synonyms
        def synsets(self, word):
            return []

    draw = random.Random(0)
    text = lambda: " ".join(draw.choices("abcdeF", k=draw.randint(1, 14)))
    several = 0
    for _ in range(1000):
        candidate, references = text(), [text() for _ in range(draw.randint(1, 3))]
        words = [r.split() for r in references]
        theirs = meteor_score(words, candidate.split(), stemmer=Same(), wordnet=Nothing(), alpha=0.9, beta=3, gamma=0.5)
        found = meteor(candidate, references)
        assert found.score == pytest.approx(theirs, rel=1e-12, abs=1e-12)
        pairs = sorted(exact_match(candidate.split(), words[0])[0])
        one = meteor(candidate, references[0])
        assert one.matches == len(pairs) and (not pairs or one.chunks == _count_chunks(pairs))
        several += one.chunks > 2
    assert several > 300
