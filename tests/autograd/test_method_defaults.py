"""What methods of a tensor do where nothing is said: on three axes, where the last is not the second."""

from __future__ import annotations

import numpy as np

from tinygrad_llm import Tensor

X = np.random.default_rng(0).normal(size=(2, 3, 4))


def test_along_the_last_axis():
    t = Tensor(X)
    np.testing.assert_allclose(t.cumsum().data, X.cumsum(-1))
    np.testing.assert_array_equal(t.sort()[0].data, np.sort(X, -1))
    np.testing.assert_array_equal(t.topk(2)[0].data, -np.sort(-X, -1)[..., :2])
    np.testing.assert_allclose(np.exp(t.log_softmax().data).sum(-1), 1)


def test_without_the_axes_that_were_taken_together():
    t = Tensor(X)
    np.testing.assert_allclose(t.prod(1).data, X.prod(1))
    np.testing.assert_allclose(t.std(1).data, X.std(1))


def test_a_shape_is_given_in_one_piece_or_number_by_number():
    for shape in (((5, 2, 3, 4),), (5, 2, 3, 4)):
        assert Tensor(X).broadcast_to(*shape).shape == (5, 2, 3, 4)
    assert Tensor(np.ones(())).broadcast_to(3).shape == (3,)
