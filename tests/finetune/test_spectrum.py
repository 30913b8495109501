"""The nearest matrix of a rank, and what it holds: by hand, by Eckart and Young's theorem, and by PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.finetune import best_rank, rank_share

DIAGONAL = np.diag([1.0, 3.0, 2.0])


def test_a_diagonal_by_hand():
    assert [rank_share(DIAGONAL, r) for r in range(5)] == pytest.approx([0, 9 / 14, 13 / 14, 1, 1])
    np.testing.assert_allclose(best_rank(DIAGONAL, 2), np.diag([0.0, 3.0, 2.0]), atol=1e-12)


def test_a_product_of_narrow_matrices_has_all_in_its_rank():
    rng = np.random.default_rng(0)
    product = rng.normal(size=(6, 2)) @ rng.normal(size=(2, 5))
    assert rank_share(product, 1) < 1 - 1e-6 and rank_share(product, 2) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(best_rank(product, 2), product, atol=1e-12)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_the_share_is_what_the_nearest_matrix_holds(rows, columns, r, seed):
    matrix = np.random.default_rng(seed).normal(size=(rows, columns))
    near = best_rank(matrix, r)
    assert near.shape == matrix.shape and np.linalg.matrix_rank(near) <= r
    whole, left = (matrix**2).sum(), ((matrix - near) ** 2).sum()
    assert rank_share(matrix, r) == pytest.approx(1 - left / whole, abs=1e-10)
    assert rank_share(matrix.T, r) == pytest.approx(rank_share(matrix, r), abs=1e-10)


def test_no_other_product_is_nearer():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(5, 4))
    least = ((matrix - best_rank(matrix, 2)) ** 2).sum()
    for _ in range(50):  # alternating least squares, from any beginning, comes near it and never below
        right = rng.normal(size=(2, 4))
        for _ in range(20):
            left = matrix @ np.linalg.pinv(right)
            right = np.linalg.pinv(left) @ matrix
        assert ((matrix - left @ right) ** 2).sum() >= least - 1e-10


@pytest.mark.oracle
def test_pytorch_says_the_same():
    torch = pytest.importorskip("torch")
    matrix = np.random.default_rng(2).normal(size=(7, 4))
    u, s, v = torch.linalg.svd(torch.tensor(matrix), full_matrices=False)
    np.testing.assert_allclose(best_rank(matrix, 3), ((u[:, :3] * s[:3]) @ v[:3]).numpy(), atol=1e-10)
    assert rank_share(matrix, 3) == pytest.approx(float((s[:3] ** 2).sum() / (s**2).sum()), abs=1e-12)


def test_nothing_is_held_whole():
    assert rank_share(np.zeros((3, 2)), 0) == 1.0 and not best_rank(np.zeros((3, 2)), 1).any()


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((2, 2, 2)), np.zeros((0, 3))])
def test_what_is_no_matrix_is_refused(wrong):
    for function in (rank_share, best_rank):
        with pytest.raises(ShapeError):
            function(wrong, 1)


@pytest.mark.parametrize("r", [-1, 1.5, True])
def test_a_rank_is_a_whole_number(r):
    for function in (rank_share, best_rank):
        with pytest.raises(ArgumentError):
            function(DIAGONAL, r)
