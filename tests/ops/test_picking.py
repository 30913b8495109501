"""Logic, order, repetition and products where they change their mind: ties, NaN, nothing, one entry, negative axes."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError


def leaf(x, dtype=np.float64):
    return Tensor(np.array(x, dtype), requires_grad=True)


def test_logic_is_of_booleans_and_bit_by_bit_of_integers():
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    x, y = Tensor(a), Tensor(b)
    for mine, expected in ((x & y, a & b), (x | y, a | b), (~x, ~a), (x & True, a), (False | y, b)):
        assert mine.dtype == bool and mine.data.tolist() == expected.tolist()
    i = Tensor([6, -1])
    assert (i & 3).data.tolist() == [2, 3] and (8 | i).data.tolist() == [14, -1] and (~i).data.tolist() == [-7, 0]
    for bad in (lambda: leaf([1.0]) & True, lambda: ~leaf([1.0]), lambda: x | leaf([1.0] * 4)):
        with pytest.raises(DtypeError):
            bad()


def test_division_rounds_down_and_the_remainder_has_the_divisors_sign():
    x = np.array([7.5, -7.5, 7.5, -7.5])
    y = np.array([2.0, 2.0, -2.0, -2.0])
    np.testing.assert_array_equal((Tensor(x) // y).data, [3, -4, -4, 3])
    np.testing.assert_array_equal((Tensor(x) % y).data, [1.5, 0.5, -0.5, -1.5])
    i = Tensor([7, -7])
    assert (i // 2).data.tolist() == [3, -4] and (i % 3).data.tolist() == [1, 2] and (i // 2).dtype == np.int64
    assert (20 // i).data.tolist() == [2, -3] and (20 % i).data.tolist() == [6, -1]
    assert (i // 2.0).dtype == (i % 0.5).dtype == np.float32 and not (leaf(x) // 2).requires_grad
    a, b = leaf(x), leaf(y)
    (a % b).sum().backward()
    assert a.grad.tolist() == [1, 1, 1, 1] and b.grad.tolist() == [-3, 4, 4, -3]


def test_a_sign_has_no_slope():
    x = leaf([-2.0, 0.0, 3.0])
    y = ops.sign(x)
    y.sum().backward()
    assert y.data.tolist() == [-1, 0, 1] and x.grad.tolist() == [0, 0, 0]
    assert ops.sign(Tensor([-3, 0, 4])).dtype == np.int64


def test_equals_keep_their_order_in_both_directions_and_nan_is_the_largest():
    x = np.array([2.0, 1.0, np.nan, 2.0, 1.0])
    assert ops.argsort(x).data.tolist() == [1, 4, 0, 3, 2]
    assert ops.argsort(x, descending=True).data.tolist() == [2, 0, 3, 1, 4]
    values, order = Tensor(x).topk(3, largest=False)
    assert values.data.tolist() == [1, 1, 2] and order.data.tolist() == [1, 4, 0]
    assert ops.argsort(np.array([3, -(2**63), 0]), descending=True).data.tolist() == [0, 2, 1]
    assert ops.argsort(np.array([True, False]), descending=True).data.tolist() == [0, 1]


def test_the_gradient_of_a_sorted_entry_goes_where_it_came_from():
    x = leaf([[3.0, 1.0, 2.0], [0.0, 5.0, 0.0]])
    values, _ = x.sort(axis=-1, descending=True)
    values.backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert x.grad.tolist() == [[1, 3, 2], [5, 4, 6]]
    x.grad = None
    x.topk(1, axis=0)[0].sum().backward()
    assert x.grad.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_order_of_nothing_and_of_one():
    for axis in (0, -1):
        assert [t.shape for t in Tensor(np.ones((0, 0))).sort(axis=axis)] == [(0, 0), (0, 0)]
    assert Tensor(np.ones((2, 3))).topk(0)[0].shape == (2, 0)
    assert Tensor([5.0]).sort()[1].data.tolist() == [0]
    for k in (-1, 4):
        with pytest.raises(ArgumentError, match="between 0 and 3"):
            ops.topk(Tensor([1.0, 2.0, 3.0]), k)
    with pytest.raises(ShapeError):
        ops.sort(Tensor([1.0]), axis=1)


def test_repeat_is_numpys():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert x.repeat(2).data.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert x.repeat(2, axis=0).shape == (4, 2) and x.repeat(0, axis=1).shape == (2, 0)
    for repeats in ([1, 3], (1, 3), np.array([1, 3]), Tensor([1, 3])):
        x.grad = None
        y = x.repeat(repeats, axis=-1)
        assert y.data.tolist() == [[1, 2, 2, 2], [3, 4, 4, 4]]
        y.sum().backward()
        assert x.grad.tolist() == [[1, 3], [1, 3]]
    assert leaf(3.0).repeat(3).data.tolist() == [3, 3, 3]
    for bad in (-1, [1, 2, 3], 1.5, [1.0, 2.0], [[1, 2]], [1, -1]):
        with pytest.raises(ArgumentError, match="repeats"):
            x.repeat(bad, axis=0)


def test_a_product_has_its_gradient_beside_zeros():
    for entries, expected in (
        ([2.0, 3.0], [3, 2]),
        ([2.0, 0.0, 3.0], [0, 6, 0]),
        ([0.0, 0.0, 3.0], [0, 0, 0]),
        ([0.0], [1]),
    ):
        x = leaf(entries)
        x.prod().backward()
        assert x.grad.tolist() == expected
    assert ops.prod(np.ones((2, 0)), axis=1).data.tolist() == [1, 1]
    assert (
        ops.prod(Tensor(np.array([2, 3], np.int32))).dtype == np.int64 and ops.prod(Tensor([True, False])).item() == 0
    )


def test_a_deviation_of_zero_has_a_gradient_of_zero():
    x = leaf([[2.0, 2.0], [1.0, 3.0]])
    y = x.std(axis=1)
    y.sum().backward()
    assert y.data.tolist() == [0, 1] and x.grad.tolist() == [[0, 0], [-0.5, 0.5]]
    with pytest.raises(ArgumentError):
        ops.std(np.ones((2, 1)), axis=1, correction=1)


def test_positions_may_keep_their_axis():
    x = np.array([[1.0, 5.0, 5.0], [7.0, 0.0, 0.0]])
    for name, best in (("argmax", np.argmax), ("argmin", np.argmin)):
        for axis in (None, 0, -1):
            for keepdims in (False, True):
                found = getattr(Tensor(x), name)(axis, keepdims)
                expected = best(x, axis, keepdims=keepdims)
                assert found.shape == expected.shape and (found.data == expected).all()


def test_axes_are_flattened_from_start_to_end():
    x = leaf(np.arange(24.0).reshape(2, 3, 4))
    assert x.flatten().shape == (24,) and x.flatten(1).shape == (2, 12) and x.flatten(0, -2).shape == (6, 4)
    assert leaf(3.0).flatten().shape == (1,) and Tensor(np.ones((2, 0, 3))).flatten(1).shape == (2, 0)
    with pytest.raises(ShapeError, match="flatten"):
        x.flatten(2, 1)
    with pytest.raises(ShapeError):
        x.flatten(3)


def test_running_sums_of_small_integers_and_booleans_do_not_wrap():
    assert ops.cumsum(Tensor([True, True, False])).data.tolist() == [1, 2, 2]
    assert ops.cumsum(Tensor(np.full(3, 100, np.uint8))).data.tolist() == [100, 200, 300]


@pytest.mark.parametrize(
    "index", [[], [[]], [[], []], (slice(None), []), ([], slice(None)), (0, []), ([], [])], ids=str
)
def test_a_list_of_no_positions_picks_nothing_as_numpys(index):
    array = np.arange(6.0).reshape(2, 3)
    x = leaf(array)
    y = x[index]
    assert y.shape == array[index].shape
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, np.zeros((2, 3)))
