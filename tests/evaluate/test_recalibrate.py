"""The temperature is SciPy's minimum, and the isotonic function scikit-learn's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import calibration_error, fit_isotonic, fit_temperature


def test_of_two_logits_the_temperature_gives_the_share_that_is_right():
    logits = np.array([[3.0, 0.0]] * 10)
    found = fit_temperature(logits, [0] * 8 + [1] * 2)
    assert found == pytest.approx(3 / math.log(4), rel=1e-12)  # softmax(3 / T) = 8/10
    assert fit_temperature(logits * 7 + 100, [0] * 8 + [1] * 2) == pytest.approx(21 / math.log(4), rel=1e-10)
    assert fit_temperature(np.eye(2)[[0, 1, 0, 1, 0]], [0, 1, 0, 1, 1]) == pytest.approx(1 / math.log(4), rel=1e-12)


def loss(temperature, logits, labels):
    return sum(math.log(sum(math.exp((l - row[y]) / temperature) for l in row)) for row, y in zip(logits, labels))


def random_answers(seed):
    rng = np.random.default_rng(seed)
    count, classes = rng.integers(5, 40), rng.integers(2, 6)
    logits = rng.normal(size=(count, classes))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(classes, p=row) for row in p])
    if (np.argmax(logits, 1) == labels).all() or logits[np.arange(count), labels].mean() <= logits.mean():
        return random_answers(seed + 100_000)
    return logits * rng.choice([0.1, 1, 30]), labels


def test_no_other_temperature_is_likelier():
    for seed in range(40):
        logits, labels = random_answers(seed)
        found = fit_temperature(logits, labels)
        least = loss(found, logits, labels)
        assert found > 0 and all(loss(found * by, logits, labels) > least for by in (0.5, 0.99, 1.01, 2))


def test_logits_drawn_at_a_temperature_have_it_and_are_calibrated():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 2
    noise = rng.gumbel(size=logits.shape)
    labels = np.argmax(logits / 2.5 + noise, 1)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(2.5, rel=0.1)
    error = []
    for temperature in (1, found):
        p = np.exp(logits / temperature)
        p /= p.sum(1, keepdims=True)
        error.append(calibration_error(p.max(1), p.argmax(1) == labels))
    assert error[1] < 0.03 < 0.15 < error[0]


@pytest.mark.parametrize(
    ("logits", "labels", "error", "words"),
    [
        ([[1, 0], [0, 1]], [0, 1], DataError, "logits: .*temperature 0: all are right"), ([[1, 0], [0, 1]], [1, 0], DataError, "logits: .*infinity"), ([[1, 0], [0, 1]], [0, 0], DataError, "infinity"), ([[1, 1]], [0], DataError, "temperature 0"), ([[1, 0], [0, 5]], [0, 1], DataError, "temperature 0"),
        ([[1, 0]], [2], DataError, "labels"), ([[1, 0]], [0, 1], ShapeError, "labels"), ([1, 0], [0, 1], ShapeError, "logits"), ([[np.inf, 0]], [0], NonFiniteError, "logits"), ([], [], ShapeError, "logits"),
    ],
)  # fmt: skip
def test_logits_without_a_best_temperature_are_refused(logits, labels, error, words):
    with pytest.raises(error, match=words):
        fit_temperature(logits, labels)


def test_adjacent_violators_are_pooled():
    assert fit_isotonic([1, 2, 3, 4], [1, 3, 2, 4]).y.tolist() == [1, 2.5, 2.5, 4]
    assert fit_isotonic([1, 2, 3, 4], [4, 3, 2, 1]).y.tolist() == [2.5] * 4
    assert fit_isotonic([3, 1, 2], [2, 1, 6], weights=[3, 1, 1]).y.tolist() == [1, 3, 3]  # (6 + 3 · 2) / 4
    assert fit_isotonic([1, 2, 3], [5, 1, 0]).y.tolist() == [2] * 3  # the second pooling reaches back


def test_equal_x_count_as_one_with_their_mean():
    found = fit_isotonic([2, 1, 2, 1], [5, 0, 1, 2], weights=[1, 1, 3, 1])
    assert found.x.tolist() == [1, 2] and found.y.tolist() == [1, 2]
    found = fit_isotonic([1, 1, 2], [0, 6, 2], weights=[1, 1, 2])
    assert found.y.tolist() == [2.5, 2.5]  # the weight of the first is 2


def test_between_what_is_known_the_values_lie_on_lines_and_outside_they_stay():
    found = fit_isotonic([0, 1, 3], [0, 2, 4])
    assert found([-1, 0, 0.5, 1, 2, 3, 9]).tolist() == [0, 0, 1, 2, 3, 4, 4]
    assert found(0.25) == 0.5 and found([[0.5], [2]]).shape == (2, 1)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-4, 4), st.integers(1, 3)), min_size=1, max_size=9))
def test_it_never_falls_and_is_the_best_of_the_max_min_formula(points):
    x, y, w = (np.array(column, float) for column in zip(*points))
    found = fit_isotonic(x, y, w)
    assert (np.diff(found.y) >= 0).all() and (np.diff(found.x) > 0).all()
    known = sorted(set(x))
    mean = lambda i, j: np.average(y[(x >= known[i]) & (x <= known[j])], weights=w[(x >= known[i]) & (x <= known[j])])
    for k in range(len(known)):  # Robertson, Wright and Dykstra, 1988: max over i ≤ k of min over j ≥ k
        best = max(min(mean(i, j) for j in range(k, len(known))) for i in range(k + 1))
        assert found.y[k] == pytest.approx(best, abs=1e-12)


def test_no_other_step_function_is_nearer():
    x, y = np.arange(5.0), np.array([2.0, 0, 3, 1, 2])
    found = fit_isotonic(x, y)
    least = np.square(y - found.y).sum()
    for steps in itertools.combinations_with_replacement(np.arange(0, 3.01, 0.25), 5):
        assert np.square(y - steps).sum() >= least - 1e-12


@pytest.mark.parametrize(
    ("x", "y", "weights", "error", "words"),
    [([1, 2], [1], None, ShapeError, r"y: expected \(2,\), as x"), ([1], [1], [1, 2], ShapeError, "weights"), ([], [], None, DataError, "x: "), ([1], [np.nan], None, NonFiniteError, "y"), ([1], [1], [0], DataError, "weights: expected numbers above 0"), ([[1]], [[1]], None, ShapeError, "x")],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(x, y, weights, error, words):
    with pytest.raises(error, match=words):
        fit_isotonic(x, y, weights)


@pytest.mark.oracle
def test_a_thousand_random_answers_have_scipys_temperature():
    from scipy import optimize, special

    for seed in range(1000):
        logits, labels = random_answers(seed)
        least = lambda log_t, l=logits, y=labels: -special.log_softmax(l / np.exp(log_t), 1)[np.arange(len(y)), y].sum()
        found = fit_temperature(logits, labels)
        near = math.log(found)
        theirs = optimize.minimize_scalar(
            least, bounds=(near - 1, near + 1.1), method="bounded", options={"xatol": 1e-9}
        )
        assert found == pytest.approx(np.exp(theirs.x), rel=1e-5)


@pytest.mark.oracle
def test_a_thousand_random_points_have_scikit_learns_function():
    from sklearn.isotonic import IsotonicRegression

    for seed in range(1000):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 40))
        x = np.round(rng.normal(size=count), rng.integers(0, 3))
        y, weights = np.round(x + rng.normal(size=count), rng.integers(0, 3)), rng.integers(1, 5, count).astype(float)
        theirs = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
        at = rng.normal(size=50) * 2
        np.testing.assert_allclose(fit_isotonic(x, y, weights)(at), theirs.predict(at), rtol=1e-10, atol=1e-12)
