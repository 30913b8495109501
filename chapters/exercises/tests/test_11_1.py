"""11.1: layer norm."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

ONES, ZEROS = np.ones(2), np.zeros(2)
# torch 2.13.0: F.layer_norm in float64 of X with weight W, bias B, eps 1e-5; its backward with G
X, W, B = np.array([[1.0, 2.0, 4.0, -1.0]]), np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.0, 1.0, 2.0, -1.0])
G = np.array([[1.0, 0.0, -2.0, 1.0]])
GOLDEN_Y = np.array([[-0.2773496714, 0.4453006572, 2.6933741786, -5.1602450713]])
GOLDEN_DX = np.array([[-0.0853376712, -0.1920120003, 0.1493386844, 0.1280109870]])


def test_a_vector_gets_mean_0_and_deviation_1(mine):
    call(mine.layer_norm, np.array([[3.0, 7.0]]), ONES, ZEROS, 0.0).value(np.array([[-1.0, 1.0]]))


def test_each_vector_by_itself(mine):
    x = np.array([[0.0, 2.0], [10.0, -10.0]])
    call(mine.layer_norm, x, ONES, ZEROS, 0.0).value(np.array([[-1.0, 1.0], [1.0, -1.0]]))


def test_then_scaled_and_shifted(mine):
    made = call(mine.layer_norm, np.array([[3.0, 7.0]]), np.array([2.0, 3.0]), np.array([10.0, 20.0]), 0.0)
    made.value(np.array([[8.0, 23.0]]))


def test_eps_is_added_to_the_variance(mine):
    # deviation 0.001: 0.001 / sqrt(1e-6 + 3e-6)
    call(mine.layer_norm, np.array([[0.001, -0.001]]), ONES, ZEROS, 3e-6).value(np.array([[0.5, -0.5]]))


def test_float32_stays_float32(mine):
    x, w = np.array([[3.0, 7.0]], np.float32), np.ones(2, np.float32)
    call(mine.layer_norm, x, w, 0 * w).value(np.array([[-1.0, 1.0]], np.float32), rtol=1e-4)


def test_pytorchs_value(mine):
    call(mine.layer_norm, X, W, B).value(GOLDEN_Y)


def test_what_all_features_share_has_no_gradient(mine):
    # h = (1, 1, 1): moving x along it changes nothing
    call(mine.layer_norm, np.array([[1.0, 2.0, 6.0]]), np.ones(3), np.zeros(3)).gradient(np.ones((1, 3)), np.zeros((1, 3)), None, None)  # fmt: skip


def test_weight_and_bias_are_shared_by_all_vectors(mine):
    x, g = np.array([[[0.0, 2.0]], [[4.0, 0.0]]]), np.array([[[1.0, 2.0]], [[5.0, 7.0]]])
    # n is (-1, 1) and (1, -1)
    call(mine.layer_norm, x, ONES, ZEROS, 0.0).gradient(g, None, np.array([4.0, -5.0]), np.array([6.0, 9.0]))


def test_pytorchs_gradient(mine):
    call(mine.layer_norm, X, W, B).gradient(G, GOLDEN_DX, None, None, rtol=1e-6)


@given(st.integers(1, 3), st.integers(2, 4), st.integers(0, 99))
def test_gradients_follow_differences(mine, rows, width, seed):
    rng = np.random.default_rng(seed)
    x = np.array([[rng.permutation(width) for _ in range(rows)] for _ in range(2)]) * 1.0  # no two alike: var is not 0
    call(mine.layer_norm, x, rng.integers(-3, 4, width) * 1.0, rng.integers(-3, 4, width) * 1.0).follows_differences()
