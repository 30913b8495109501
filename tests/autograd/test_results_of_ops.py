"""What an operation's function returns: a value and a derivative, and a view of its parent's memory stays one."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import Tensor, no_grad
from tinygrad_llm.autograd import op
from tinygrad_llm.errors import DtypeError, GradientError


def leaf(values):
    return Tensor(np.array(values, float), requires_grad=True)


@pytest.mark.parametrize(
    "returned",
    [
        lambda x: x, lambda x: [x, lambda g, needs: g], lambda x: (x, None, None), lambda x: (x,), lambda x: np.stack([x, x]),
        lambda x: (None, lambda g, needs: g), lambda x: None,
    ],
)  # fmt: skip
def test_what_is_no_pair_of_value_and_derivative_is_refused(returned):
    @op
    def bare(x):
        return returned(x)

    for values in ([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]):  # an array of two rows has a length of two, as a pair has
        with pytest.raises(DtypeError, match="bare"):
            bare(leaf(values))


def unrecorded(w):
    with no_grad():
        return w.reshape(-1)


@pytest.mark.parametrize(
    "view", [lambda w: w.detach().reshape(-1), unrecorded, lambda w: unrecorded(w).reshape(2, 2)[0]]
)
def test_a_view_that_was_recorded_nowhere_still_knows_that_its_memory_was_changed(view):
    w = leaf([[1, 2], [3, 4]])
    v = view(w)
    other = leaf(np.ones(v.shape))
    loss = (v * other).sum()
    w.assign(np.zeros((2, 2)))
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_a_copy_does_not_know_of_it():
    w = leaf([[1, 2], [3, 4]])
    with no_grad():
        v = w + 0.0
    other = leaf(np.ones(v.shape))
    loss = (v * other).sum()
    w.assign(np.zeros((2, 2)))
    loss.backward()
    np.testing.assert_array_equal(other.grad, [[1, 2], [3, 4]])


def test_the_gradient_of_what_was_broadcast_over_a_million_rows_keeps_its_digits():
    x = np.random.default_rng(0).uniform(0.5, 1.5, (1 << 20, 2)).astype(np.float32)
    b = Tensor(np.ones(2, np.float32), requires_grad=True)
    (b * Tensor(x)).sum().backward()
    np.testing.assert_allclose(b.grad, x.sum(0, dtype=np.float64), rtol=3e-7)  # one float32 after another: 1e-5
