"""17.1: large, or long? Its last check goes along the budget and looks for something better."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_equal_terms_halve_the_work(mine):
    call(mine.compute_optimal, 1.0, 1.0, 1.0, 1.0, 600.0).gives((10.0, 10.0))


def test_what_weighs_more_gets_more(mine):
    # 4/N + 1/D with N D = 100: the two terms are equal
    call(mine.compute_optimal, 4.0, 1.0, 1.0, 1.0, 600.0).gives((20.0, 5.0))


def test_equal_exponents_share_every_budget_alike(mine):
    call(mine.compute_optimal, 1.0, 1.0, 0.5, 0.5, 6e6).gives((1000.0, 1000.0))


def test_the_steeper_term_gets_less_of_a_large_budget(mine):
    # 1/N^2 + 2/D: equal slopes where 2/N^2 = 2/D, that is D = N^2
    call(mine.compute_optimal, 1.0, 2.0, 2.0, 1.0, 6e6).gives((100.0, 10000.0))


def test_the_flatter_term_gets_more(mine):
    call(mine.compute_optimal, 2.0, 1.0, 1.0, 2.0, 6e6).gives((10000.0, 100.0))


def test_chinchilla_is_where_the_law_of_2024_wants_it(mine):
    # Besiroglu et al., 2024, for 70e9 parameters and 1.4e12 tokens: 18.4 tokens a parameter
    call(mine.compute_optimal, 482.01, 2085.43, 0.3478, 0.3658, 6 * 70e9 * 1.4e12).gives(
        (73016399355.91063, 1342164237958.5095), rtol=1e-6
    )


numbers = st.floats(0.25, 4.0)


@given(numbers, numbers, st.floats(0.25, 1.0), st.floats(0.25, 1.0), st.floats(1.0, 9.0))
def test_nothing_along_the_budget_is_better(mine, a, b, alpha, beta, decades):
    flops = 10.0**decades
    grid = np.exp(np.linspace(-60, 60, 24001))
    best = grid[np.argmin(a * grid**-alpha + b * (flops / 6 / grid) ** -beta)]
    call(mine.compute_optimal, a, b, alpha, beta, flops).gives((best, flops / 6 / best), rtol=0.006)
