"""23.3: two codes a byte."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def uint8(*numbers):
    return np.array(numbers, np.uint8)


def test_the_earlier_code_is_in_the_upper_half(mine):
    call(mine.pack, uint8(1, 2)).gives(uint8(18))
    call(mine.pack, uint8(0, 15)).gives(uint8(15))


def test_neighbours_share_a_byte(mine):
    call(mine.pack, uint8(1, 2, 3, 4)).gives(uint8(18, 52))


def test_the_largest_codes_fill_the_byte(mine):
    call(mine.pack, uint8(15, 15, 15, 0)).gives(uint8(255, 240))


def test_an_odd_one_has_nothing_below(mine):
    call(mine.pack, uint8(1, 2, 3)).gives(uint8(18, 48))
    call(mine.pack, uint8(7)).gives(uint8(112))


def test_back_come_both_halves(mine):
    call(mine.unpack, uint8(18, 52), 4).gives(uint8(1, 2, 3, 4))
    call(mine.unpack, uint8(255, 240), 4).gives(uint8(15, 15, 15, 0))


def test_back_come_as_many_as_there_were(mine):
    call(mine.unpack, uint8(18, 48), 3).gives(uint8(1, 2, 3))


@given(st.lists(st.integers(0, 15), min_size=1, max_size=7))
def test_there_and_back(mine, numbers):
    codes = uint8(*numbers)
    even = [*numbers, 0][: len(numbers) + len(numbers) % 2]
    packed = uint8(*(16 * a + b for a, b in zip(even[0::2], even[1::2])))
    call(mine.pack, codes).gives(packed)
    call(mine.unpack, packed, len(numbers)).gives(codes)
