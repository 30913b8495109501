"""Claims about mutual information; the oracles are its definition, summed case by case, and SciPy's entropies."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ShapeError
from tinygrad_llm.evaluate import mutual_information, shuffled


def by_definition(a, b, c):
    n, abc = len(a), Counter(zip(a, b, c))
    ac, bc, only_c = Counter(zip(a, c)), Counter(zip(b, c)), Counter(c)
    return sum(k / n * math.log(k * only_c[z] / (ac[x, z] * bc[y, z])) for (x, y, z), k in abc.items())


def drawn(seed, count, kinds=4):
    return np.random.default_rng(seed).integers(0, kinds, (3, count))


@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 5))
def test_it_is_the_definition(seed, count, kinds):
    a, b, c = drawn(seed, count, kinds)
    expected = by_definition(*(x.tolist() for x in (a, b, c)))
    assert mutual_information(a, b, c) == pytest.approx(expected, abs=1e-10)
    plain = by_definition(a.tolist(), b.tolist(), [0] * count)
    assert mutual_information(a, b) == pytest.approx(plain, abs=1e-10)


def test_labels_may_be_words_and_numbers_far_apart():
    a, b, c = drawn(1, 50)
    names = np.array(["ox", "yak", "emu", "owl"])
    assert mutual_information(names[a], b * 1000 - 7, names[c]) == pytest.approx(mutual_information(a, b, c), rel=1e-12)


def test_what_tells_all_tells_as_much_as_there_is_to_know():
    a = np.array([0, 1, 2, 2])
    assert mutual_information(a, a) == pytest.approx(1.5 * math.log(2))  # 1/4, 1/4, 1/2
    assert mutual_information(a, a, a) == 0  # nothing is left that a has not said
    assert mutual_information(a, np.zeros(4)) == 0


def test_an_exclusive_or_tells_nothing_alone_and_all_with_the_other():
    a, c = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert mutual_information(a, a ^ c) == pytest.approx(0, abs=1e-12)
    assert mutual_information(a, a ^ c, c) == pytest.approx(math.log(2))


@pytest.mark.oracle
def test_it_is_what_scipys_entropies_say():
    stats = pytest.importorskip("scipy.stats")
    a, b, _ = drawn(3, 400)
    table = np.zeros((4, 4))
    np.add.at(table, (a, b), 1)
    expected = stats.entropy(table.sum(1)) + stats.entropy(table.sum(0)) - stats.entropy(table.ravel())
    assert mutual_information(a, b) == pytest.approx(expected, rel=1e-10)


@given(st.integers(0, 10**6), st.integers(1, 60))
def test_shuffled_labels_are_the_same_within_each_group(seed, count):
    _, labels, groups = drawn(seed, count)
    out = shuffled(labels, np.random.default_rng(seed), groups)
    for group in set(groups.tolist()):
        assert sorted(out[groups == group]) == sorted(labels[groups == group])
    assert sorted(shuffled(labels, np.random.default_rng(seed))) == sorted(labels)


def test_shuffling_takes_away_what_was_told_and_keeps_what_the_group_tells():
    groups = np.random.default_rng(0).integers(0, 3, 3000)
    labels = np.random.default_rng(1).integers(0, 2, 3000) + groups  # the group tells some of it
    out = shuffled(labels, np.random.default_rng(2), groups)
    assert mutual_information(labels, labels, groups) > 0.6
    assert mutual_information(labels, out, groups) < 0.01
    assert mutual_information(out, groups) == pytest.approx(mutual_information(labels, groups), rel=1e-10)
    assert mutual_information(groups, shuffled(labels, np.random.default_rng(2))) < 0.01


def test_every_order_within_a_group_comes_alike_often():
    rng, labels, groups = np.random.default_rng(4), np.array([0, 1, 2, 9]), np.array([5, 5, 5, 1])
    seen = Counter(tuple(shuffled(labels, rng, groups).tolist()) for _ in range(1200))
    assert len(seen) == 6 and all(order[3] == 9 for order in seen) and min(seen.values()) > 140


@pytest.mark.parametrize(
    ("a", "b", "c"), [([], [], None), ([1, 2], [1], None), ([[1]], [1], None), ([1, 2], [1, 2], [1]), (1, 1, None)]
)
def test_what_does_not_fit_is_refused(a, b, c):
    with pytest.raises(ShapeError, match="expected"):
        mutual_information(a, b, c)


def test_groups_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="given: expected as many"):
        shuffled(np.arange(3), np.random.default_rng(0), np.arange(2))
