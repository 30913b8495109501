"""17.2: how far is a law from what was measured?"""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

NONE = -1000.0  # the logarithm of as good as nothing


def test_a_law_that_is_right_costs_nothing(mine):
    theta = np.array([0.0, 0.0, 0.0, 1.0, 1.0])  # 1 + 1/N + 1/D
    n, d = np.array([1.0, 2.0, 10.0]), np.array([1.0, 4.0, 5.0])
    call(mine.law_objective, theta, np.log(n), np.log(d), np.log(1 + 1 / n + 1 / d)).gives(0.0)


def test_small_residuals_are_squared(mine):
    theta = np.array([0.0, NONE, NONE, 0.0, 0.0])  # E = 1 alone
    call(mine.law_objective, theta, np.zeros(1), np.zeros(1), np.array([0.5]), 1.0).gives(0.125)
    call(mine.law_objective, theta, np.zeros(1), np.zeros(1), np.array([-0.5]), 1.0).gives(0.125)


def test_large_ones_are_not(mine):
    theta = np.array([0.0, NONE, NONE, 0.0, 0.0])
    call(mine.law_objective, theta, np.zeros(1), np.zeros(1), np.array([3.0]), 1.0).gives(2.5)
    call(mine.law_objective, theta, np.zeros(1), np.zeros(1), np.array([-3.0]), 1.0).gives(2.5)


def test_each_run_is_judged_by_itself(mine):
    theta = np.array([0.0, NONE, NONE, 0.0, 0.0])
    call(mine.law_objective, theta, np.zeros(2), np.zeros(2), np.array([0.5, 3.0]), 1.0).gives(2.625)


def test_delta_is_a_thousandth_if_nobody_says(mine):
    theta = np.array([0.0, NONE, NONE, 0.0, 0.0])
    call(mine.law_objective, theta, np.zeros(1), np.zeros(1), np.array([1.0])).gives(1e-3 * (1 - 0.5e-3))


def test_alpha_goes_with_parameters_and_beta_with_tokens(mine):
    log_n, log_d = np.array([2.0]), np.array([4.0])
    # ln A - 2 * 2 = 1 alone, and ln B - 2 * 4 = -3 alone
    call(mine.law_objective, np.array([NONE, 5.0, NONE, 2.0, 7.0]), log_n, log_d, np.zeros(1), 1.0).gives(0.5)
    call(mine.law_objective, np.array([NONE, NONE, 5.0, 7.0, 2.0]), log_n, log_d, np.zeros(1), 1.0).gives(2.5)


def test_wild_laws_have_a_cost(mine):
    ones = np.ones(1)
    call(mine.law_objective, np.array([1000.0, 1000.0, 1000.0, 0.0, 0.0]), ones, ones, ones, 1.0).gives(
        998.5 + math.log(3)
    )
    call(mine.law_objective, np.array([-2000.0, -2000.0, -2000.0, 0.0, 0.0]), ones, ones, ones, 1.0).gives(
        2000.5 - math.log(3)
    )


def test_each_run_has_its_own_largest_term(mine):
    theta = np.array([-5000.0, 0.0, -5000.0, 1.0, 0.0])  # as good as 1/N alone
    runs = np.array([0.0, 2000.0])
    call(mine.law_objective, theta, runs, np.zeros(2), -runs).gives(0.0)


small = st.floats(-2, 2)


@given(st.lists(small, min_size=5, max_size=5), st.lists(st.tuples(small, small, small), min_size=1, max_size=3))
def test_as_the_formula_says(mine, theta, runs):
    delta, expected = 0.5, 0.0
    for log_n, log_d, log_loss in runs:
        e, a, b = (math.exp(t) for t in theta[:3])
        law = e + a / math.exp(log_n) ** theta[3] + b / math.exp(log_d) ** theta[4]
        r = abs(math.log(law) - log_loss)
        expected += r * r / 2 if r <= delta else delta * (r - delta / 2)
    call(mine.law_objective, np.array(theta), *np.array(runs).T, delta).gives(expected)
