"""23.1: blocks and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

THREE, FIVE = np.array([-1.0, 0.0, 1.0]), np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


def codes(mine, *given):
    return call(mine.quantize, *given).then("[0]", lambda pair: np.asarray(pair[0]))


def scales(mine, *given):
    return call(mine.quantize, *given).then("[1]", lambda pair: pair[1])


def test_a_block_is_divided_by_its_largest(mine):
    w = np.array([4.0, 1.0, 0.0, 2.0])
    scales(mine, w, FIVE, 4).gives(np.array([4.0]))
    codes(mine, w, FIVE, 4).gives(np.array([4, 2, 2, 3]))


def test_the_largest_is_so_without_its_sign(mine):
    w = np.array([-4.0, 1.2, 0.0, 2.0])
    scales(mine, w, FIVE, 4).gives(np.array([4.0]))
    codes(mine, w, FIVE, 4).gives(np.array([0, 3, 2, 3]))


def test_each_block_has_a_scale_of_its_own(mine):
    w = np.array([4.0, -2.0, 0.1, -0.1])
    scales(mine, w, FIVE, 2).gives(np.array([4.0, 0.1]))
    codes(mine, w, FIVE, 2).gives(np.array([4, 1, 4, 0]))


def test_a_number_halfway_gets_the_smaller_value(mine):
    codes(mine, np.array([1.0, 0.5, -0.5, 0.75]), THREE, 4).gives(np.array([2, 1, 0, 2]))


def test_the_nearest_and_not_the_next_below(mine):
    codes(mine, np.array([1.0, 0.9, -0.9, -0.1]), THREE, 4).gives(np.array([2, 2, 0, 1]))


def test_values_need_not_be_evenly_spaced(mine):
    values = np.array([-1.0, -0.125, 0.0, 0.25, 1.0])
    codes(mine, np.array([1.0, 0.5, 0.125, -0.5, 0.625, 0.75]), values, 6).gives(np.array([4, 3, 2, 1, 3, 4]))


def test_a_block_of_zeros_stays_zero(mine):
    w = np.array([0.0, 0.0, 2.0, 1.0])
    scales(mine, w, FIVE, 2).gives(np.array([0.0, 2.0]))
    codes(mine, w, FIVE, 2).gives(np.array([2, 2, 4, 3]))


def test_back_are_the_values_times_the_scale_of_their_block(mine):
    call(mine.dequantize, np.array([4, 1, 2, 3]), np.array([8.0, 0.5]), FIVE, 2).gives(np.array([8.0, -4.0, 0.0, 0.25]))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_number_by_number(mine, blocks, block, seed):
    rng = np.random.default_rng(seed)
    w = rng.integers(-7, 8, blocks * block) * 1.0
    largest = [max(abs(w[i * block : (i + 1) * block])) for i in range(blocks)]
    scaled = [n / (largest[i // block] or 1) for i, n in enumerate(w)]
    expected = np.array([min(range(5), key=lambda c, x=x: (abs(x - FIVE[c]), c)) for x in scaled])
    codes(mine, w, FIVE, block).gives(expected)
    back = np.array([largest[i // block] * FIVE[c] for i, c in enumerate(expected)])
    call(mine.dequantize, expected, np.array(largest), FIVE, block).gives(back)
