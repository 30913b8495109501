"""Each metric has its interval, whichever others stand beside it, and which metrics apply is said."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import METRICS, answer_f1, bootstrap_interval, brier_score, calibration_error, measure
from tinygrad_llm.evaluate.jackknife import jackknife_interval
from tinygrad_llm.evaluate.measure import CalibrationOf, measure_confidence, measure_rows, ratio

SAID = ["the cat sat", "a dog ran far", "the cat sat", "no", "red"]
WANTED = ["the cat sat down", ["a dog ran", "the dog ran far"], "a cat sat", "no", "blue"]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_interval_is_the_bootstraps_of_its_rows():
    (found,) = measure(["f1"], SAID, WANTED, resamples=300, confidence=0.8, rng=rng(3))
    rows = [answer_f1(*pair).f for pair in zip(SAID, WANTED)]
    draws = np.random.default_rng(int(rng(3).integers(2**63)))
    expected = bootstrap_interval(rows, resamples=300, confidence=0.8, rng=draws)
    assert (found.score, found.low, found.high) == (expected.score, expected.low, expected.high)
    assert (found.name, found.interval, found.most, found.lower) == ("f1", "bootstrap", 1, False)
    assert found.low < found.score < found.high


def test_neighbours_and_their_order_do_not_move_an_interval():
    alone = measure(["bleu"], SAID, WANTED, resamples=50, rng=rng())[0]
    assert measure(["f1", "bleu", "ter"], SAID, WANTED, resamples=50, rng=rng())[1] == alone
    assert {one.name: one for one in measure([], SAID, WANTED, resamples=50, rng=rng())}["bleu"] == alone


def test_distinct_n_has_the_jackknifes_interval_which_holds_its_score():
    found = measure(["distinct-1"], SAID, None, rng=rng())[0]
    (rows,), statistic = METRICS["distinct-1"].prepare([SAID], [])
    expected = jackknife_interval(found.score, statistic.left_out(rows))
    assert (found.low, found.high) == (expected.low, min(1, expected.high)) and found.interval == "jackknife"
    drawn = bootstrap_interval(rows, statistic, resamples=500, rng=rng())
    assert np.mean([drawn.low, drawn.high]) < found.score  # why it is not the bootstrap's
    wide = measure(["distinct-1"], ["a a a a", "a b c"], None, confidence=1 - 1e-9, rng=rng())[0]
    assert (wide.low, wide.high) == (0, 1)  # it is a share
    same = measure(["distinct-1"], ["a b"], None, rng=rng())[0]
    assert (same.score, same.low, same.high) == (1, 1, 1)


def test_without_a_name_all_that_apply_are_measured():
    assert [one.name for one in measure([], SAID, WANTED, resamples=9, rng=rng())] == [*METRICS]
    ours = ["distinct-1", "distinct-2", "distinct-3", "self-bleu"]
    assert [one.name for one in measure([], SAID, None, resamples=9, rng=rng())] == ours
    assert "self-bleu" not in [one.name for one in measure([], SAID[:1], WANTED[:1], resamples=9, rng=rng())]
    assert len(measure(["f1", "f1"], SAID, WANTED, resamples=9, rng=rng())) == 1


@pytest.mark.parametrize(
    ("names", "said", "wanted", "error", "words"),
    [
        (["rouge"], SAID, WANTED, ArgumentError, "Did you mean rouge-"), (["x"], SAID, WANTED, ArgumentError, "bleu, chrf"),
        (["bleu"], SAID, None, DataError, "references: .*BLEU"), (["self-bleu"], ["a"], ["a"], DataError, "at least 2"),
        ([], [], None, DataError, "at least one"), ([], "text", None, DataError, "a list of texts"), ([], [1], None, DataError, r"candidates\[0\]"),
        ([], SAID, WANTED[:2], DataError, "references"),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_refused(names, said, wanted, error, words):
    with pytest.raises(error, match=words):
        measure(names, said, wanted, resamples=9, rng=rng())


def test_confidence_is_held_against_what_was_right():
    p, right = rng().random(40), rng(1).random(40) < 0.5
    ece, brier = measure_confidence(p, right, resamples=200, rng=rng())
    assert ece.score == calibration_error(p, right) and brier.score == brier_score(p, right)
    assert ece.interval == "jackknife" and brier.interval == "bootstrap"
    assert ece.low <= ece.score <= ece.high and brier.low < brier.score < brier.high
    rows = np.stack([p, right], 1)
    without = [calibration_error(np.delete(p, i), np.delete(right, i)) for i in range(40)]
    np.testing.assert_allclose(CalibrationOf().left_out(rows), without)
    sure = measure_confidence([1.0, 1.0], [1, 1], resamples=9, rng=rng())
    assert [one.score for one in sure] == [0, 0] and sure[0].low == 0
    with pytest.raises(DataError, match="0 to 1"):
        measure_confidence([1.2], [1], rng=rng())


def test_a_ratio_is_that_of_the_sums():
    rows = np.array([[3.0, 1], [5, 3]])
    assert ratio(rows) == 2
    found = measure_rows("x", "X", rows, ratio, most=0, lower=True, resamples=99, rng=rng())
    assert (found.score, found.low, found.high) == (2, 5 / 3, 3) and found.lower


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    draw, hits = rng(7), 0
    for _ in range(200):
        said = ["yes" if draw.random() < 0.3 else "no" for _ in range(60)]
        (found,) = measure(["exact-match"], said, ["yes"] * 60, resamples=200, rng=draw)
        hits += found.low <= 0.3 <= found.high
    assert 0.88 <= hits / 200 <= 0.99
