"""Randomization and signs: exact where all swaps can be tried, and equal to SciPy's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import randomization_test, sign_test


def rng(seed=0):
    return np.random.default_rng(seed)


def by_trying_all(first, second, statistic=np.mean):
    first, second = np.array(first, float), np.array(second, float)
    d, found = abs(statistic(first) - statistic(second)), []
    for swap in itertools.product([False, True], repeat=len(first)):
        swap = np.array(swap)
        one, other = first.copy(), second.copy()
        one[swap], other[swap] = second[swap], first[swap]
        found.append(abs(statistic(one) - statistic(other)) >= d * (1 - 1e-9))
    return np.mean(found)


def test_a_few_examples_are_swapped_in_all_ways():
    assert randomization_test([3, 3, 3], [1, 2, 0], rng=rng()) == 2 / 8  # all the same way, either way
    assert randomization_test([3, 3, 0], [1, 2, 1], rng=rng()) == 6 / 8  # 2 + 1 - 1; as large: 4, 2 and 2, either way
    assert randomization_test([1], [0], rng=rng()) == 1
    for seed in range(40):
        first, second = rng(seed).integers(0, 4, (2, seed % 7 + 1)) / 3
        for statistic in (np.mean, np.median):
            found = randomization_test(first, second, statistic, rounds=128, rng=rng())
            assert found == by_trying_all(first, second, statistic)


def test_all_ways_are_tried_where_they_are_no_more_than_the_rounds():
    first, second = [3, 1, 2], [1, 0, 0.5]
    assert randomization_test(first, second, rounds=8, rng=rng()) == 1 / 4
    found = randomization_test(first, second, rounds=7, rng=rng())
    assert found * 8 == int(found * 8) and found > 0
    assert len({randomization_test(first, second, rounds=7, rng=rng(seed)) for seed in range(20)}) > 1
    assert randomization_test(np.arange(70), np.arange(70) - 1, rounds=50, rng=rng()) == 1 / 51


def test_drawn_swaps_come_near_to_all_of_them():
    first, second = rng(1).normal([[0.5], [0]], size=(2, 12))
    exact = randomization_test(first, second, rounds=2**12, rng=rng())
    assert exact == by_trying_all(first, second) and 0.02 < exact < 0.5
    drawn = randomization_test(first, second, rounds=4000, rng=rng())
    assert drawn != exact and abs(drawn - exact) < 4 * math.sqrt(exact * (1 - exact) / 4000)


def test_equal_models_have_one():
    assert randomization_test([1, 2, 3], [1, 2, 3], rng=rng()) == 1
    assert randomization_test(np.ones(40), np.ones(40), rounds=20, rng=rng()) == 1


def test_no_level_is_reached_more_often_than_it_says():
    apart = np.array([0.3, 1.1, 0.7, 2.0, 0.2, 0.9])
    found = np.array(
        [randomization_test(s * apart, 0 * apart, rng=rng()) for s in itertools.product([-1, 1], repeat=6)]
    )
    for level in (1 / 32, 0.05, 0.1, 0.25, 0.5):
        assert (found <= level).mean() <= level
    assert (found <= 1 / 32).mean() == 1 / 32


def test_a_statistic_of_several_numbers_an_example_is_of_whole_rows():
    first, second = rng(1).integers(1, 9, (2, 5, 2))
    ratio = lambda rows: rows[:, 0].sum() / rows[:, 1].sum()
    assert randomization_test(first, second, ratio, rng=rng()) == by_trying_all(first, second, ratio)


@pytest.mark.parametrize(
    ("first", "second", "counts", "p"),
    [
        ([1, 1, 1], [0, 0, 0], (3, 0, 0), 2 / 8), ([1, 1, 0, 5], [0, 0, 1, 5], (2, 1, 1), 1.0), ([0], [1], (0, 1, 0), 1.0), ([2, 2], [2, 2], (0, 0, 2), 1.0),
        ([1] * 8 + [0] * 2, [0] * 8 + [1] * 2, (8, 2, 0), 2 * (1 + 10 + 45) / 1024), ([0] * 9 + [1], [1] * 9 + [0], (1, 9, 0), 2 * 11 / 1024),
    ],
)  # fmt: skip
def test_signs_counted_by_hand(first, second, counts, p):
    found = sign_test(first, second)
    assert (found.wins, found.losses, found.ties) == counts and found.p_value == p


def test_many_signs_have_a_p_value_too():
    assert 0 < sign_test(np.ones(5000), np.zeros(5000) + 2 * (np.arange(5000) < 2000)).p_value < 1e-40
    assert sign_test(np.ones(3000), np.zeros(3000)).p_value == 0  # 2^-2999


@pytest.mark.parametrize("test", [sign_test, lambda a, b: randomization_test(a, b, rng=rng())])
def test_what_cannot_be_compared_is_refused(test):
    with pytest.raises(ShapeError, match=r"second: expected \(2,\), as the first"):
        test([1, 2], [1])
    with pytest.raises(DataError, match="first: expected at least one"):
        test([], [])
    with pytest.raises(NonFiniteError, match="second"):
        test([1, 2], [1, np.nan])
    with pytest.raises(ShapeError):
        test([[1, 2]], [[1, 2]])


def test_rounds_below_one_are_refused():
    with pytest.raises(ArgumentError, match="rounds: expected a whole number of at least 1"):
        randomization_test([1], [2], rounds=0, rng=rng())


@pytest.mark.oracle
def test_a_thousand_samples_have_scipys_exact_p_values():
    from scipy import stats

    difference = lambda a, b, axis=-1: np.sum(a, axis) - np.sum(b, axis)
    for seed in range(1000):
        draw = rng(seed)
        first, second = draw.integers(-99, 99, (2, draw.integers(2, 9))) // draw.choice([1, 10, 50])  # sums are exact
        theirs = stats.permutation_test(
            (first, second), difference, permutation_type="samples", vectorized=True, n_resamples=9999
        )
        assert randomization_test(first, second, np.sum, rng=rng()) == pytest.approx(theirs.pvalue, rel=1e-12)
        found = sign_test(first, second)
        if found.wins + found.losses:
            expected = stats.binomtest(found.wins, found.wins + found.losses).pvalue
            assert found.p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.oracle
def test_a_bleu_of_a_corpus_has_sacrebleus_p_value():
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import Result, _paired_ar_test

    draw = rng(0)
    text = lambda: " ".join(draw.choice(list("abcd"), 12))
    for seed in range(5):
        references = [text() for _ in range(20)]
        noisy = lambda share, refs=references: [
            " ".join(w if draw.random() > share else "x" for w in r.split()) for r in refs
        ]
        first, second, metric = noisy(0.05), noisy(0.1), BLEU(tokenize="none", references=[references])
        rows = [np.array(metric._extract_corpus_statistics(texts, None)) for texts in (first, second)]
        score = lambda r, metric=metric: metric._compute_score_from_stats(r.sum(0)).score
        info = {"BLEU": (rows[1], Result(score(rows[1])))}
        _, theirs = _paired_ar_test(info, "first", first, None, {"BLEU": metric}, 200, seed=seed)
        assert randomization_test(*rows, score, rounds=200, rng=rng(seed)) == theirs["BLEU"].p_value
