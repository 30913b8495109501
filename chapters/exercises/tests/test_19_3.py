"""19.3: clocks that go slower."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_with_a_factor_of_1_the_clocks_are_ropes(mine):
    call(mine.ntk_frequencies, 4, 100.0, 1.0).gives(np.array([1.0, 0.1]))
    call(mine.ntk_frequencies, 6, 1000.0, 1.0).gives(np.array([1.0, 0.1, 0.01]))


def test_two_clocks_one_as_before_and_one_slower_by_the_factor(mine):
    call(mine.ntk_frequencies, 4, 100.0, 4.0).gives(np.array([1.0, 0.025]))


def test_three_clocks_the_one_between_slower_by_the_root_of_the_factor(mine):
    call(mine.ntk_frequencies, 6, 1000.0, 4.0).gives(np.array([1.0, 0.05, 0.0025]))


@given(st.integers(2, 8), st.sampled_from([10.0, 500.0, 10000.0]), st.sampled_from([1.5, 2.0, 4.0]))
def test_each_clock_is_slower_by_its_power_of_the_factor(mine, pairs, base, factor):
    i = np.arange(pairs)
    plain = base ** (-i / pairs)
    call(mine.ntk_frequencies, 2 * pairs, base, factor).gives(plain / factor ** (i / (pairs - 1)))
