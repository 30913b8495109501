"""Einsum: what NumPy and PyTorch say of the same subscripts."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck

RNG = np.random.default_rng(3)
CASES = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ji", (2, 3)), ("ba,cb", (2, 3), (4, 2)), ("Ba,aC", (2, 3), (3, 2)),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)), ("iijj->ij", (2, 2, 3, 3)), ("ijij->", (2, 3, 2, 3)),
    ("bij,bjk,bkl->bil", (2, 2, 3), (2, 3, 4), (2, 4, 2)), ("i,j,k", (2,), (3,), (4,)), ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("...ij,jk", (5, 2, 3), (3, 4)), ("i...,...", (2, 3, 1), (5,)), ("...", (2, 3)), ("...->", (2, 3)), ("...ii->...i", (2, 3, 3)),
    ("i...j,j...->i", (2, 3, 4), (4, 1)), ("ij,k->", (2, 3), (4,)), (",->", (), ()), (",i", (), (3,)), ("...i,...i->i", (2, 3), (2, 3)),
    ("i,i->", (0,), (0,)), ("ij,jk->ik", (2, 0), (0, 3)), ("...,...", (1, 3), (2, 1)), ("ik,jkl,il->ij", (2, 3), (4, 3, 5), (2, 5)),
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in CASES])
def test_value_and_gradients_are_pytorchs(subscripts, shapes):
    import torch

    arrays = [RNG.normal(size=shape) for shape in shapes]
    mine = [Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, expected = ops.einsum(subscripts, *mine), torch.einsum(subscripts, *theirs)
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    expected.backward(torch.tensor(g))
    for a, b in zip(mine, theirs):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in CASES])
def test_values_are_numpys_and_gradients_are_differences(subscripts, shapes):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    y = ops.einsum(subscripts, *arrays).data
    left, arrow, right = subscripts.partition("->")
    if arrow and "..." in left and "..." not in right:  # NumPy sums over letters alone
        expected = np.einsum(f"{left}->...{right}", *arrays)
        expected = expected.sum(tuple(range(expected.ndim - y.ndim)))
    else:
        expected = np.einsum(subscripts, *arrays)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    assert gradcheck(lambda *operands: ops.einsum(subscripts, *operands), arrays)


def test_only_the_operands_that_want_a_gradient_get_one():
    a, b, c = (Tensor(RNG.normal(size=(3, 3)), requires_grad=flag) for flag in (False, True, False))
    ops.einsum("ij,jk,kl->il", a, b, c).sum().backward()
    assert a.grad is None and c.grad is None
    np.testing.assert_allclose(b.grad, np.outer(a.data.sum(0), c.data.sum(1)), rtol=1e-12)
