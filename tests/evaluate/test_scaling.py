"""Scaling laws. Oracles: SciPy's minimizers, laws that made the runs, a search along the budget, a model's own weights."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, NonFiniteError
from tinygrad_llm.evaluate import (
    BESIROGLU,
    HOFFMANN,
    ScalingLaw,
    compute_optimal,
    fit_law,
    huber,
    law_objective,
    parabola_minimum,
    power_law,
    training_cost,
)
from tinygrad_llm.models import GPT, GPTConfig

CHINCHILLA = 6 * 70e9 * 1.4e12
"""Operations, of 70e9 parameters and 1.4e12 tokens."""


def sweep(law, budgets, sizes, noise=0.0, seed=0):
    """(N, D, loss) of a size each at a budget each, the losses off by a share."""
    n, c = (np.ravel(values) for values in np.meshgrid(sizes, budgets))
    d = c / 6 / n
    off = np.exp(noise * np.random.default_rng(seed).normal(size=len(n)))
    return n, d, law.loss(n, d) * off


SWEEP = sweep(BESIROGLU, 10.0 ** np.arange(18, 23), 10.0 ** np.linspace(7.5, 10.5, 7))
NOISY = sweep(BESIROGLU, 10.0 ** np.arange(18, 23), 10.0 ** np.linspace(7.5, 10.5, 7), 0.005)


def test_the_loss_is_the_sum_of_its_three_terms():
    law = ScalingLaw(1.0, 6.0, 20.0, 0.5, 1.0)
    assert law.loss(4, 10) == pytest.approx(1 + 3 + 2)
    assert law.loss(np.array([4, 9]), 10) == pytest.approx([6, 5])


def test_the_law_of_2024_wants_chinchilla_at_its_budget_and_the_one_printed_in_2022_does_not():
    n, d = BESIROGLU.optimal(CHINCHILLA)
    assert n == pytest.approx(70e9, rel=0.05) and 15 < d / n < 25  # about 20 tokens a parameter, as they say
    n, d = HOFFMANN.optimal(CHINCHILLA)
    assert n < 40e9 and d / n > 80


def test_the_exponents_are_those_that_the_papers_print():
    assert HOFFMANN.exponent == pytest.approx(0.45, abs=0.005)  # table 2, approach 3: 0.46, of the numbers not rounded
    assert BESIROGLU.exponent == pytest.approx(0.513, abs=0.001)


@given(*[st.floats(0.25, 4)] * 2, *[st.floats(0.2, 1)] * 2, st.floats(1, 24))
def test_nothing_along_the_budget_is_better_than_the_optimal_split(a, b, alpha, beta, decades):
    n, d = compute_optimal(a, b, alpha, beta, 10**decades)
    assert 6 * n * d == pytest.approx(10**decades, rel=1e-9)
    best = a * n**-alpha + b * d**-beta
    for factor in (0.5, 0.99, 1.01, 2):
        assert best < a * (n * factor) ** -alpha + b * (d / factor) ** -beta
    law = ScalingLaw(0.1, a, b, alpha, beta)
    assert law.optimal(10**decades) == (n, d)
    assert math.log10(law.optimal(10 ** (decades + 1))[0] / n) == pytest.approx(law.exponent, abs=1e-9)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan])
def test_a_split_needs_five_numbers_above_zero(place, wrong):
    numbers = [1.0] * 5
    numbers[place] = wrong
    with pytest.raises(ArgumentError, match="expected numbers above 0"):
        compute_optimal(*numbers)


def test_a_law_is_found_again_from_its_own_runs():
    law = fit_law(*SWEEP)
    assert law.E == pytest.approx(BESIROGLU.E, rel=1e-4)
    assert (law.alpha, law.beta) == pytest.approx((BESIROGLU.alpha, BESIROGLU.beta), rel=1e-3)
    assert law.loss(*SWEEP[:2]) == pytest.approx(SWEEP[2], rel=1e-6)


def test_one_run_that_failed_does_not_bend_the_law():
    n, d, loss = SWEEP
    loss = loss.copy()
    loss[10] *= 3
    law = fit_law(n, d, loss)
    good = np.arange(len(n)) != 10
    assert law.loss(n[good], d[good]) == pytest.approx(loss[good], rel=1e-3)


def test_a_fit_from_near_by_is_the_fit():
    law = fit_law(*NOISY)
    again = fit_law(*NOISY, near=ScalingLaw(law.E * 1.05, law.A, law.B, law.alpha * 1.02, law.beta))
    assert objective(again) == pytest.approx(objective(law), rel=1e-4)


def test_the_order_of_runs_does_not_matter():
    order = np.random.default_rng(0).permutation(len(SWEEP[0]))
    law = fit_law(*(values[order] for values in NOISY))
    assert objective(law) == pytest.approx(objective(fit_law(*NOISY)), rel=1e-6)


def theta_of(law):
    return np.array([math.log(law.E), math.log(law.A), math.log(law.B), law.alpha, law.beta])


def objective(law, runs=NOISY, delta=1e-3):
    return law_objective(theta_of(law), *np.log(runs), delta)


@pytest.mark.oracle
@pytest.mark.parametrize("delta", [1e-3, 1e-2])
@pytest.mark.parametrize("seed", range(4))
def test_scipys_minimizer_finds_no_lower_objective(seed, delta):
    from scipy.optimize import minimize

    runs = sweep(BESIROGLU, 10.0 ** np.arange(18, 23), 10.0 ** np.linspace(7.5, 10.5, 7), 0.005, seed)
    ours = objective(fit_law(*runs, delta=delta), runs, delta)
    goal = lambda theta: 1e3 * law_objective(theta, *np.log(runs), delta)
    starts = [theta_of(BESIROGLU), theta_of(HOFFMANN)]
    starts += [np.array(start) for start in itertools.product((0.0, 1.0), (5.0, 10.0), (5.0, 10.0), (0.5,), (0.5,))]
    theirs = []
    for start in starts:
        at = minimize(goal, start, method="BFGS", options={"gtol": 1e-9}).x
        theirs.append(minimize(goal, at, method="Nelder-Mead", options={"maxfev": 20000, "fatol": 1e-12}).fun / 1e3)
    assert ours <= min(theirs) * (1 + 1e-4)


@pytest.mark.oracle
def test_huber_and_the_objective_are_scipys():
    from scipy.special import huber as scipys
    from scipy.special import logsumexp

    rng = np.random.default_rng(0)
    r = np.concatenate([rng.normal(size=50), [0.0, 0.5, -0.5]])
    np.testing.assert_allclose(huber(r, 0.5), scipys(0.5, r), rtol=1e-14)
    log_n, log_d, log_loss = rng.normal(size=(3, 20))
    for theta in rng.normal(size=(20, 5)) * 3:
        terms = [np.full(20, theta[0]), theta[1] - theta[3] * log_n, theta[2] - theta[4] * log_d]
        expected = scipys(0.3, logsumexp(terms, axis=0) - log_loss).sum()
        assert law_objective(theta, log_n, log_d, log_loss, 0.3) == pytest.approx(expected, rel=1e-12)


def test_no_theta_overflows():
    logs = np.array([[20.0, 25.0], [21.0, 27.0], [1.0, 0.5]])
    for wild in (1e3, -1e3):
        assert math.isfinite(law_objective(np.full(5, wild), *logs))
        assert math.isfinite(law_objective(np.array([wild, -wild, wild, 0.5, 0.5]), *logs))


def test_runs_must_be_five_numbers_above_zero():
    n, d, loss = SWEEP
    with pytest.raises(ArgumentError, match="runs: expected at least as many as the law has numbers, 5, got 4"):
        fit_law(n[:4], d[:4], loss[:4])
    for values in (np.where(n == n[3], 0.0, n), -n):
        with pytest.raises(ArgumentError, match="n, d and loss: expected numbers above 0"):
            fit_law(values, d, loss)
    with pytest.raises(NonFiniteError, match="runs: expected numbers, got 1 that are none"):
        fit_law(n, d, np.where(np.arange(len(n)) == 2, np.nan, loss))
    with pytest.raises(ArgumentError, match="n, d and loss: expected as many of each"):
        fit_law(n, d[:-1], loss)


def test_a_gpt_has_as_many_weights_as_are_counted():
    config = GPTConfig(50, 7, 3, 2, 10, bias=False)
    model = GPT(config, rng=np.random.default_rng(0))
    shapes = {name: p.shape for name, p in model.named_parameters()}
    matrices = {name: s for name, s in shapes.items() if len(s) == 2 and "position" not in name}
    weights = sum(math.prod(shape) for shape in matrices.values())
    assert training_cost(50, 3, 10, 1000) == (weights, 6000 * weights)
    assert training_cost(50, 3, 10, 1000, embedding=False) == (weights - 500, 6000 * (weights - 500))


def test_gpt3_costs_what_its_authors_say():
    n, flops = training_cost(50257, 96, 12288, 300 * 10**9)
    assert n == pytest.approx(175e9, rel=0.005) and flops == pytest.approx(
        3.14e23, rel=0.005
    )  # Brown et al., table D.1


@pytest.mark.parametrize("name", ["vocab_size", "n_layer", "n_embd"])
def test_a_model_without_size_costs_nothing_that_could_be_counted(name):
    sizes = {"vocab_size": 5, "n_layer": 1, "n_embd": 4, "tokens": 0}
    assert training_cost(**sizes) == (12 * 16 + 20, 0)
    with pytest.raises(ArgumentError, match=f"{name}: expected a whole number of at least 1"):
        training_cost(**{**sizes, name: 0})
    with pytest.raises(ArgumentError, match="tokens: expected a whole number of at least 0"):
        training_cost(**{**sizes, "tokens": -1})


@given(st.floats(0.1, 3), st.floats(5, 30), st.floats(0.5, 4))
def test_the_lowest_point_of_a_parabola_is_found(bend, middle, height):
    log_n = middle + np.array([-2.0, -1.0, 0.5, 1.0, 3.0])
    found = parabola_minimum(log_n, height + bend * (log_n - middle) ** 2)
    assert found == pytest.approx((middle, height), abs=1e-6)


def test_a_parabola_is_numpys_through_runs_that_lie_on_none():
    rng = np.random.default_rng(0)
    log_n, off = np.linspace(8, 12, 7), 0.02 * rng.normal(size=7)
    c, b, a = np.polynomial.polynomial.polyfit(log_n, (log_n - 10) ** 2 + off, 2)
    assert parabola_minimum(log_n, (log_n - 10) ** 2 + off) == pytest.approx((-b / (2 * a), c - b * b / (4 * a)))


def test_a_parabola_needs_three_sizes_and_a_bottom():
    with pytest.raises(ArgumentError, match="sizes of one budget: expected at least 3, got 2"):
        parabola_minimum([1.0, 2.0, 2.0], [3.0, 2.0, 2.0])
    for loss in ([1.0, 2.0, 1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(ArgumentError, match="losses that fall and rise again"):
            parabola_minimum([1.0, 2.0, 3.0], loss)


def test_a_power_law_is_found_again_and_is_scale_free():
    x = np.array([1.0, 10.0, 1e3, 1e6])
    assert power_law(x, 3 * x**-0.4) == pytest.approx((3, -0.4))
    k, a = power_law(1e12 * x, 3 * x**0.7)
    assert a == pytest.approx(0.7) and k * 1e12**0.7 == pytest.approx(3)


def test_a_floor_that_is_known_stays_and_the_others_are_found():
    law = fit_law(*SWEEP, floor=BESIROGLU.E)
    assert law.E == pytest.approx(BESIROGLU.E, rel=1e-12)
    assert (law.A, law.B, law.alpha, law.beta) == pytest.approx(
        (BESIROGLU.A, BESIROGLU.B, BESIROGLU.alpha, BESIROGLU.beta), rel=1e-3
    )
    wrong = fit_law(*SWEEP, floor=1.0)
    assert wrong.E == pytest.approx(1.0) and objective(wrong, SWEEP) > 10 * objective(law, SWEEP)
    near = fit_law(*SWEEP, floor=BESIROGLU.E, near=HOFFMANN)
    assert near.E == pytest.approx(BESIROGLU.E, rel=1e-12)
    with pytest.raises(ArgumentError, match="floor: expected a number above 0, got 0"):
        fit_law(*SWEEP, floor=0.0)


def test_a_law_that_has_come_down_to_no_floor_can_be_started_from():
    n, d, _ = SWEEP
    law = ScalingLaw(0.0, 40.0, 900.0, 0.2, 0.3)
    found = fit_law(n, d, law.loss(n, d), near=law)
    assert found.E < 1e-6 and found.loss(n, d) == pytest.approx(law.loss(n, d), rel=1e-6)


@pytest.mark.parametrize(
    "start", [HOFFMANN, ScalingLaw(0.1, 1e10, 1e10, 2.0, 2.0), ScalingLaw(2.7, 1.0, 1.0, 0.1, 0.1)]
)
def test_every_start_ends_at_the_same_law(start):
    assert objective(fit_law(*NOISY, near=start)) == pytest.approx(objective(fit_law(*NOISY)), rel=1e-5)
