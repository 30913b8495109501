"""16.1: the first in each order. Its golden: datasketch's signature of three words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def u32(*values):
    return np.array(values, np.uint32)


def test_one_order_that_changes_nothing(mine):
    call(mine.signature, u32(7, 3, 5), u32(1), u32(0)).gives(u32(3))


def test_one_order(mine):
    call(mine.signature, u32(1, 2), u32(3), u32(10)).gives(u32(13))


def test_each_order_has_its_own_first(mine):
    # 2^32 - 1 times x is -x: the largest comes first
    call(mine.signature, u32(1, 2, 3), u32(1, 4294967295), u32(0, 10)).gives(u32(1, 7))


def test_new_numbers_are_modulo_two_to_the_32(mine):
    call(mine.signature, u32(1 << 31, 5), u32(3), u32(0)).gives(u32(15))
    call(mine.signature, u32(1 << 31), u32(3), u32(7)).gives(u32((1 << 31) + 7))
    call(mine.signature, u32(10, 20), u32(1), u32(4294967290)).gives(u32(4))


def test_a_number_that_stands_twice_changes_nothing(mine):
    call(mine.signature, u32(4, 4, 9), u32(5, 7), u32(1, 2)).gives(u32(21, 30))


def test_more_orders_than_numbers(mine):
    call(mine.signature, u32(2), u32(1, 3, 5), u32(0, 1, 2)).gives(u32(2, 7, 12))


def test_as_datasketch(mine):
    # datasketch 2.0.0: MinHash(num_perm=4, seed=1), update_batch([b"red", b"kite", b"harbor"])
    hashes = u32(4040829777, 2951606286, 3769051580)
    a = u32(3582191691, 4270784983, 1892572953, 3715639441)
    b = u32(491263, 550290313, 1298508491, 4290846341)
    call(mine.signature, hashes, a, b).gives(u32(369563923, 1281264749, 318459433, 957686273))


numbers = st.integers(0, 2**32 - 1)


@given(st.lists(numbers, min_size=1, max_size=4), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=3))
def test_as_python_counts(mine, hashes, orders):
    orders = [(2 * (a // 2) + 1, b) for a, b in orders]
    expected = u32(*(min((a * x + b) % 2**32 for x in hashes) for a, b in orders))
    call(mine.signature, u32(*hashes), u32(*(a for a, _ in orders)), u32(*(b for _, b in orders))).gives(expected)
