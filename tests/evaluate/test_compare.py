"""Comparisons: the tests are those that are named, both sides see the same examples, and many metrics are many chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import METRICS, answer_f1, compare, holm, paired_bootstrap, randomization_test
from tinygrad_llm.evaluate.compare import compare_rows
from tinygrad_llm.evaluate.measure import ratio

WORDS = "the cat sat on a mat".split()


def rng(seed=0):
    return np.random.default_rng(seed)


def corpus(count=12, seed=0):
    draw = rng(seed)
    text = lambda: " ".join(draw.choice(WORDS, draw.integers(2, 7)))
    wanted = [[text()] for _ in range(count)]
    return [w[0] if draw.random() < 0.7 else text() for w in wanted], [text() for _ in wanted], wanted


def f1_rows(first, second, wanted):
    return ([answer_f1(*pair).f for pair in zip(said, wanted)] for said in (first, second))


def draws(seed):
    return np.random.default_rng(int(rng(seed).integers(2**63)))


def test_the_p_value_is_that_of_the_test_that_is_named():
    first, second, wanted = corpus()
    one, other = f1_rows(first, second, wanted)
    by = lambda test: compare(["f1"], first, second, wanted, test=test, resamples=5000, rng=rng(4))[0]
    drawn = paired_bootstrap(one, other, resamples=5000, rng=draws(4))
    found = by("bootstrap")
    assert (found.p_value, found.low, found.high) == (drawn.p_value, drawn.low, drawn.high)
    found = by("randomization")  # of twelve examples all swaps are tried
    assert found.p_value == randomization_test(one, other, rounds=5000, rng=draws(4))
    assert (found.low, found.high) == (drawn.low, drawn.high) and found.difference == pytest.approx(drawn.difference)
    with pytest.raises(ArgumentError, match="randomization or bootstrap"):
        by("guess")


def test_wins_are_examples_on_which_the_first_is_better():
    first, second, wanted = corpus()
    one, other = map(np.array, f1_rows(first, second, wanted))
    found = compare(["f1", "ter"], first, second, wanted, resamples=9, rng=rng())
    assert (found[0].wins, found[0].ties, found[0].losses) == (
        (one > other).sum(),
        (one == other).sum(),
        (one < other).sum(),
    )
    assert found[1].lower and found[1].first < found[1].second and found[1].wins > found[1].losses  # fewer edits win


@pytest.mark.parametrize("test", ["randomization", "bootstrap"])
def test_the_other_way_round_it_is_the_same_with_another_sign(test):
    first, second, wanted = corpus(8, 1)
    there = compare([], first, second, wanted, test=test, resamples=300, rng=rng())
    back = compare([], second, first, wanted, test=test, resamples=300, rng=rng())
    assert [one.name for one in there] == [*METRICS]
    for one, other in zip(there, back):
        assert one.difference == pytest.approx(-other.difference) and one.p_value == pytest.approx(other.p_value)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9), one.name
        assert (one.wins, one.ties, one.losses) == (other.losses, other.ties, other.wins)


def test_equal_models_differ_by_nothing():
    first, _, wanted = corpus()
    for one in compare([], first, first, wanted, resamples=50, rng=rng()):
        assert (one.difference, one.low, one.high, one.p_value, one.holm, one.ties) == (0, 0, 0, 1, 1, 12), one.name


def test_distinct_n_is_compared_over_one_set_of_n_grams():
    first, second = ["a b c", "d e"], ["a a a", "a a"]
    (found,) = compare(["distinct-1"], first, second, None, test="bootstrap", rng=rng())
    assert (found.first, found.second, found.interval) == (1, 1 / 5, "jackknife")
    swaps = [abs(d) for d in (4 / 5, 4 / 6 - 3 / 4, 3 / 4 - 4 / 6, 4 / 5)]
    assert found.p_value == np.mean([d >= 0.8 - 1e-9 for d in swaps]) == 0.5


def test_rows_of_any_score_are_compared():
    found = compare_rows("bits", "bits", [[1.0, 2], [3, 2]], [[2, 2], [4, 2]], ratio, lower=True, rng=rng())
    assert (found.first, found.second, found.difference, found.wins, found.losses) == (1, 1.5, -0.5, 2, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_is_its_procedure_step_by_step(values):
    """Reject while p_(j) <= level / (m - j + 1): a p is the least level at which its hypothesis is rejected."""
    found, m = holm(values), len(values)
    for level in [*found, *(f - 1e-9 for f in found), 0.05, 0.5]:
        if not 0 < level < 1:
            continue
        rejected = set()
        for j, i in enumerate(sorted(range(m), key=lambda i: values[i])):
            if values[i] * (m - j) > level:
                break
            rejected.add(i)
        assert rejected == {i for i in range(m) if found[i] <= level}


def test_holm_of_known_values_and_of_what_is_none():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.3]) == [0.3]
    for bad in ([], [1.2], [-0.1]):
        with pytest.raises(DataError):
            holm(bad)


def test_many_metrics_are_many_chances():
    first, second, wanted = corpus(20, 3)
    found = compare(["f1", "rouge-1", "meteor"], first, second, wanted, resamples=999, rng=rng())
    np.testing.assert_allclose([one.holm for one in found], holm([one.p_value for one in found]))
    assert any(one.holm > one.p_value for one in found)


def test_no_level_is_reached_more_often_than_it_says():
    """Two models that are the same: each example's two answers are drawn from one distribution."""
    draw, below = rng(5), 0
    for _ in range(150):
        flips = draw.random((2, 25)) < 0.5
        first, second = (["yes" if f else "no" for f in row] for row in flips)
        below += compare(["exact-match"], first, second, ["yes"] * 25, resamples=199, rng=draw)[0].p_value <= 0.1
    assert below / 150 < 0.17


def test_sides_of_different_length_are_refused():
    with pytest.raises(DataError, match="3 candidates"):
        compare([], ["a", "b", "c"], ["a", "b"], None, rng=rng())
    with pytest.raises(DataError, match="references"):
        compare([], ["a"], ["a", "b"], ["a"], rng=rng())
    assert len(compare(["distinct-1"], ["a"], ["b c"], None, rng=rng())) == 1
