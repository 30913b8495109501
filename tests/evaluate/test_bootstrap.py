"""The bootstrap draws as SciPy and sacrebleu do, and its intervals cover about as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, DtypeError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import bootstrap_interval, paired_bootstrap


def rng(seed=0):
    return np.random.default_rng(seed)


def test_it_is_the_quantiles_of_scores_of_as_many_examples_drawn_again():
    rows = np.array([1.0, 2, 4, 8, 16])
    draws = rng(3).integers(0, 5, (200, 5))
    scores = sorted(np.median([rows[i] for i in draw]) for draw in draws)
    found = bootstrap_interval(rows, np.median, confidence=0.9, resamples=200, rng=rng(3))
    assert found.score == 4
    for end, share in ((found.low, 0.05), (found.high, 0.95)):  # between the two neighbours at that share of the way
        below = int(share * 199)
        part = share * 199 - below
        assert end == pytest.approx(scores[below] * (1 - part) + scores[below + 1] * part, rel=1e-12)


def test_the_mean_is_what_is_asked_for_where_nothing_is():
    rows = rng().normal(size=30)
    plain, named = (bootstrap_interval(rows, *statistic, resamples=50, rng=rng()) for statistic in ((), (np.mean,)))
    assert plain == named and plain.score == rows.mean() and plain.low < plain.score < plain.high
    again = bootstrap_interval(rows, confidence=0.95, resamples=50, rng=rng())
    assert again == plain and len(again.__dict__) == 3


def test_ten_thousand_draws_but_one_are_made_where_nothing_is_said():
    count = []
    bootstrap_interval([1, 2], lambda rows: count.append(len(rows)) or 0.0, rng=rng())
    assert len(count) == 9999 + 1
    assert paired_bootstrap([1, 2], [0, 1], rng=rng()).differences.shape == (9999,)


def test_a_statistic_of_several_numbers_an_example_and_of_several_scores():
    rows = np.stack([rng(1).integers(0, 5, 20), rng(2).integers(5, 9, 20)], 1)  # matches, counts
    found = bootstrap_interval(
        rows, lambda r: np.array([r[:, 0].sum() / r[:, 1].sum(), r[:, 1].mean()]), resamples=99, rng=rng()
    )
    alone = bootstrap_interval(rows, lambda r: r[:, 0].sum() / r[:, 1].sum(), resamples=99, rng=rng())
    assert found.score.shape == found.low.shape == found.high.shape == (2,)
    assert (found.score[0], found.low[0], found.high[0]) == (alone.score, alone.low, alone.high)


def test_where_all_are_equal_nothing_moves():
    found = bootstrap_interval([3.0] * 7, resamples=20, rng=rng())
    assert (found.score, found.low, found.high) == (3, 3, 3)
    found = bootstrap_interval([3.0], resamples=20, rng=rng())
    assert (found.score, found.low, found.high) == (3, 3, 3)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rows = rng(5).exponential(size=(40, 2000))  # two thousand samples of forty at once
    found = bootstrap_interval(rows, lambda r: r.mean(0), confidence=0.9, resamples=500, rng=rng())
    assert 0.85 < ((found.low <= 1) & (found.high >= 1)).mean() < 0.9


def test_the_same_draws_serve_both_models():
    first, second = rng(1).normal(size=25), rng(2).normal(size=25)
    found = paired_bootstrap(first, second, resamples=400, rng=rng())
    draws = rng().integers(0, 25, (400, 25))
    drawn = np.array([first[i].mean() - second[i].mean() for i in draws])
    np.testing.assert_allclose(found.differences, drawn, rtol=1e-12)
    d = first.mean() - second.mean()
    assert found.difference == pytest.approx(d) and found.wins == (drawn > 0).mean()
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert found.p_value == (1 + sum(abs(x - d) >= abs(d) for x in drawn)) / 401
    other = paired_bootstrap(second, first, resamples=400, rng=rng())
    assert other.p_value == found.p_value and other.wins == pytest.approx(1 - found.wins)
    assert other.low == pytest.approx(-found.high) and 0.01 < found.p_value < 0.99


def test_what_both_find_hard_falls_out_of_the_difference():
    hard = rng(1).normal(size=50) * 100
    found = paired_bootstrap(hard + 1 + rng(2).normal(size=50) / 10, hard, resamples=200, rng=rng())
    assert 0.9 < found.low < found.difference < found.high < 1.1 and found.wins == 1 and found.p_value == 1 / 201


def test_equal_models_tie_and_are_not_told_apart():
    found = paired_bootstrap([1, 2, 3], [1, 2, 3], resamples=50, rng=rng())
    assert (found.difference, found.low, found.high, found.wins, found.p_value) == (0, 0, 0, 0.5, 1)


def test_of_equal_models_no_more_are_called_different_than_is_said():
    draw, found = rng(7), []
    for _ in range(100):
        first, second = draw.normal(size=(2, 40))
        found.append(paired_bootstrap(first, second, resamples=99, rng=draw).p_value)
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.09 and 0.4 < np.median(found) < 0.6


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [([], DataError, "rows: .*at least one"), (np.zeros((0, 2)), DataError, "rows"), ([1, np.nan], NonFiniteError, "rows: .*1 that"), ([1, np.inf], NonFiniteError, "rows"), (["a"], DtypeError, "rows: expected numbers"), ([[1], [1, 2]], ShapeError, "rows"), ([[1, 2]], ShapeError, r"rows: expected \(N,\).*statistic")],
)  # fmt: skip
def test_rows_that_are_no_numbers_are_refused(rows, error, words):
    with pytest.raises(error, match=words):
        bootstrap_interval(rows, resamples=5, rng=rng())


@pytest.mark.parametrize(
    ("options", "name"),
    [({"confidence": 0}, "confidence"), ({"confidence": 1}, "confidence"), ({"confidence": 95}, "confidence"), ({"confidence": "0.9"}, "confidence"), ({"confidence": True}, "confidence"), ({"confidence": np.nan}, "confidence"), ({"resamples": 0}, "resamples"), ({"resamples": 9.5}, "resamples")],
)  # fmt: skip
def test_impossible_options_are_refused(options, name):
    for asked in (bootstrap_interval, lambda rows, **kw: paired_bootstrap(rows, rows, **kw)):
        with pytest.raises(ArgumentError, match=f"{name}: expected"):
            asked([1.0, 2.0], **({"resamples": 9} | options), rng=rng())


def test_two_models_on_other_examples_are_refused():
    with pytest.raises(ShapeError, match=r"second: expected \(2,\), as the first, got \(3,\)"):
        paired_bootstrap([1, 2], [1, 2, 3], rng=rng())
    with pytest.raises(NonFiniteError, match="second"):
        paired_bootstrap([1, 2], [1, np.nan], rng=rng())


@pytest.mark.oracle
def test_a_thousand_samples_have_scipys_interval():
    from scipy import stats

    for seed in range(1000):
        draw = rng(seed)
        rows = np.round(draw.normal(size=draw.integers(2, 30)), draw.integers(0, 9))
        if np.ptp(rows) == 0:
            continue  # of which SciPy has none
        confidence, statistic = draw.uniform(0.5, 0.99), (np.mean, np.median, np.std)[seed % 3]
        found = bootstrap_interval(rows, statistic, confidence=confidence, resamples=30, rng=rng(seed))
        theirs = stats.bootstrap(
            (rows,), statistic, method="percentile", confidence_level=confidence, n_resamples=30, rng=rng(seed)
        ).confidence_interval
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12, abs=1e-12)


@pytest.mark.oracle
def test_a_bleu_of_a_corpus_has_sacrebleus_draws():
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import Result, _paired_bs_test

    draw = rng(0)
    text = lambda: " ".join(draw.choice(list("abcd"), 12))
    references = [text() for _ in range(20)]
    noisy = lambda share: [" ".join(w if draw.random() > share else "x" for w in r.split()) for r in references]
    first, second, metric = noisy(0.05), noisy(0.1), BLEU(tokenize="none", references=[references])
    rows = [np.array(metric._extract_corpus_statistics(texts, None), float) for texts in (first, second)]
    score = lambda r: metric._compute_score_from_stats(r.sum(0)).score
    found = paired_bootstrap(*rows, score, resamples=300, rng=rng(12345))
    info = {"BLEU": (metric._extract_corpus_statistics(second, None), Result(score(rows[1])))}
    _, theirs = _paired_bs_test(info, "first", first, None, {"BLEU": metric}, 300, seed=12345)
    assert score(rows[0]) == pytest.approx(theirs["BLEU"].score, abs=1e-9)
    drawn = []
    bootstrap_interval(rows[0], lambda r: drawn.append(score(r)) or drawn[-1], resamples=300, rng=rng(12345))
    assert np.mean(drawn[:-1]) == pytest.approx(theirs["BLEU"].mean, abs=1e-4)  # which adds in float32
    # their p-value centers |d*| and not d*: see paired_bootstrap
    far = np.abs(found.differences)
    assert theirs["BLEU"].p_value == (1 + (far - far.mean() > abs(found.difference)).sum()) / 301
