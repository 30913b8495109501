"""Rows sorted by group, and like matrices at equal distances seen as one array: what products by group stand on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import equally_spaced, grouped_outer, sort_by_group, stacked, to_device, to_device_of

counts_of_groups = st.lists(st.integers(0, 4), min_size=1, max_size=4)


def test_matrices_at_equal_distances_are_seen_as_one_array_and_not_copied():
    flat = np.arange(100.0)
    for first, size, distance, count in ((0, 6, 6, 3), (0, 6, 10, 4), (4, 6, 10, 4), (94, 6, 6, 1), (34, 6, 20, 4)):
        places = [first + i * distance for i in range(count)]
        arrays = [flat[p : p + size].reshape(2, 3) for p in places]
        view = equally_spaced(arrays)
        np.testing.assert_array_equal(view, np.stack(arrays))
        assert np.shares_memory(view, flat)
        view[-1, -1, -1] = -1.0
        assert arrays[-1][-1, -1] == -1.0


@pytest.mark.parametrize("places", [(0, 10, 21), (0, 20, 10), (20, 10, 0), (0, 3, 6), (0, 0, 0)])
def test_matrices_at_other_distances_are_copied(places):
    flat = np.arange(100.0)
    arrays = [flat[p : p + 6].reshape(2, 3) for p in places]
    assert equally_spaced(arrays) is None
    np.testing.assert_array_equal(stacked(arrays), np.stack(arrays))


def test_matrices_of_two_memories_shapes_or_orders_are_copied():
    flat, other = np.arange(100.0), np.arange(100.0)
    like = flat[:6].reshape(2, 3)
    for second in (other[10:16].reshape(2, 3), flat[10:16].reshape(3, 2), flat[10:16].reshape(3, 2).T):
        assert equally_spaced([like, second]) is None
    assert equally_spaced([np.ones((2, 3)), np.ones((2, 3))]) is None


@given(counts=counts_of_groups, seed=st.integers(0, 99))
def test_rows_are_sorted_by_group_and_those_of_one_keep_their_order(counts, seed):
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    like = Tensor(np.zeros((1, 1), np.float32)).data
    order, starts = sort_by_group(to_device_of(groups, like), len(counts), like)
    np.testing.assert_array_equal(to_device(order, "cpu"), np.argsort(groups, kind="stable"))
    np.testing.assert_array_equal(to_device(starts, "cpu"), np.cumsum([0, *counts]))


def test_a_group_without_rows_has_zeros_or_keeps_what_is_added_to():
    starts, out = np.array([0, 2, 2]), np.full((2, 1, 1), 9.0)
    g, x, out, starts = (Tensor(a).data for a in (np.ones((2, 1)), np.full((2, 1), 3.0), out, starts))
    added, found = out.copy(), out.copy()
    grouped_outer(g, x, starts, added, accumulate=True)
    grouped_outer(g, x, starts, found, accumulate=False)
    np.testing.assert_array_equal(to_device(added, "cpu").reshape(-1), [15.0, 9.0])
    np.testing.assert_array_equal(to_device(found, "cpu").reshape(-1), [6.0, 0.0])
