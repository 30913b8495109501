"""Examples are drawn evenly, balanced by label, or nearest: scikit-learn's nearest, and its vectors."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.prompt import TfIdf, balanced_examples, nearest_by_words, nearest_examples, random_examples
from tinygrad_llm.prompt.tfidf import tfidf_words

TEXTS = ["The cat sat, the CAT ran.", "a dog_2 ran far", "über the hill é", "", "x y z", "cat hill dog dog 12 3"]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_random_ones_are_different_and_each_as_likely():
    counts = Counter(tuple(random_examples(4, 2, rng(seed)).tolist()) for seed in range(2400))
    assert counts.keys() == set(itertools.permutations(range(4), 2))
    assert max(abs(count - 200) for count in counts.values()) < 5 * 200**0.5
    assert sorted(random_examples(5, 5, rng())) == list(range(5))
    for k in (6, 0):
        with pytest.raises(ArgumentError, match="k"):
            random_examples(5, k, rng())


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 99))
def test_labels_are_as_even_as_they_can_be(labels, k, seed):
    if k > len(labels):
        with pytest.raises(ArgumentError, match="k"):
            balanced_examples(labels, k, rng(seed))
        return
    found = balanced_examples(labels, k, rng(seed))
    assert len(set(found.tolist())) == len(found) == k
    have, got = Counter(labels), Counter(labels[i] for i in found)
    for one, other in itertools.permutations(have, 2):  # one may be behind another by more than one only if it is out
        assert got[other] - got[one] <= 1 or got[one] == have[one]


def test_who_has_one_more_and_the_order_are_by_lot():
    labels = ["a", "a", "b", "b"]
    found = [balanced_examples(labels, 3, rng(seed)) for seed in range(400)]
    more = Counter(Counter(labels[i] for i in numbers).most_common(1)[0][0] for numbers in found)
    assert 140 < more["a"] < 260
    last = Counter(labels[numbers[-1]] for numbers in found)
    assert 140 < last["a"] < 260
    assert len({tuple(numbers) for numbers in found}) == 24  # all ways to stand
    with pytest.raises(DataError, match="labels"):
        balanced_examples([], 1, rng())


def test_the_nearest_stand_last_and_of_equals_the_first_count():
    known = [[1.0, 0], [2, 0], [1, 1], [0, 3], [-1, 0]]
    assert nearest_examples([[5.0, 0]], known, 3).tolist() == [[2, 1, 0]]
    assert nearest_examples([[5.0, 0], [0, 1]], known, 2, nearest_last=False).tolist() == [[0, 1], [3, 2]]
    assert nearest_examples(known[:2], known, 1, exclude=[0, 1]).tolist() == [[1], [0]]
    assert nearest_examples([[0.0, 0]], known, 2, nearest_last=False).tolist() == [[0, 1]]
    equal = np.array([[0.1, 0.2, 0.3], [0.2, 0.4, 0.6], [0.3, 0.6, 0.9]])  # of one direction, but for rounding
    assert nearest_examples(equal[2:], equal, 3, nearest_last=False).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("queries", "known", "k", "exclude", "error"),
    [
        ([[1.0]], [[1.0, 2]], 1, None, ShapeError), ([[1.0]], [[1.0]], 2, None, ArgumentError), ([[1.0]], [[1.0]], 1, [0], ArgumentError),
        ([[1.0]], [[1.0], [2]], 1, [2], ArgumentError), ([[1.0]], [[1.0], [2]], 1, [0, 1], ShapeError), ([[1.0]], [[1.0], [2]], 1, [0.0], ShapeError),
        ([[np.nan]], [[1.0]], 1, None, NonFiniteError), ([1.0], [[1.0]], 1, None, ShapeError), ([[1.0]], [[1.0]], 0, None, ArgumentError),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(queries, known, k, exclude, error):
    with pytest.raises(error):
        nearest_examples(queries, known, k, exclude=exclude)


def test_vectors_are_the_formula_by_hand():
    weights = TfIdf.fit(["aa bb bb", "bb cc"])
    assert weights.words == ("aa", "bb", "cc")
    np.testing.assert_allclose(weights.idf, [np.log(3 / 2) + 1, 1, np.log(3 / 2) + 1])
    by_hand = np.array([np.log(3 / 2) + 1, 2, 0])
    np.testing.assert_allclose(weights.vectors(["aa bb bb new"])[0], by_hand / np.sqrt((by_hand**2).sum()))
    assert not weights.vectors(["new words"]).any()
    assert tfidf_words("A CAT's x_1 über-é 12 3") == ["cat", "x_1", "über", "12"]
    for bad, words in (([], "word"), (["a", "?"], "word"), ("aa", "list"), ([1], "text")):
        with pytest.raises(DataError, match=words):
            TfIdf.fit(bad)


def test_the_nearest_by_words_has_most_of_the_rare_ones():
    assert nearest_by_words(["a dog on a hill", "cats"], TEXTS, 2).tolist() == [[2, 5], [1, 0]]
    assert nearest_by_words(["ran"], TEXTS, 1).tolist() == [[1]]


@pytest.mark.oracle
def test_vectors_and_neighbours_are_scikit_learns():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    theirs = TfidfVectorizer().fit(TEXTS)
    ours = TfIdf.fit(TEXTS)
    assert list(theirs.get_feature_names_out()) == list(ours.words)
    np.testing.assert_allclose(ours.idf, theirs.idf_, rtol=1e-12)
    asked = ["the cat and the dog", "nothing known at allx", "12 hills, 3 dogs", *TEXTS]
    np.testing.assert_allclose(ours.vectors(asked), theirs.transform(asked).toarray(), atol=1e-12)
    words = [f"w{i}" for i in range(40)]
    for seed in range(20):
        draw = rng(seed)
        known, queries = ([" ".join(draw.choice(words, draw.integers(3, 15))) for _ in range(n)] for n in (60, 10))
        vectors = TfidfVectorizer().fit(known)
        finder = NearestNeighbors(n_neighbors=5, metric="cosine").fit(vectors.transform(known))
        distances, _ = finder.kneighbors(vectors.transform(queries))
        found = nearest_by_words(queries, known, 5, nearest_last=False)
        mine = TfIdf.fit(known)
        cosines = np.take_along_axis(mine.vectors(queries) @ mine.vectors(known).T, found, 1)
        np.testing.assert_allclose(1 - cosines, distances, atol=1e-9)  # equal distances may have other numbers
        dense = draw.normal(size=(30, 7)), draw.normal(size=(8, 7))
        expected = NearestNeighbors(n_neighbors=4, metric="cosine").fit(dense[0]).kneighbors(dense[1])[1]
        assert nearest_examples(dense[1], dense[0], 4, nearest_last=False).tolist() == expected.tolist()
