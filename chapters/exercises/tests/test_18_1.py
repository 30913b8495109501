"""18.1: RMSNorm."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

ONES = np.ones(2)
# torch 2.13.0: F.rms_norm in float64 of X with weight W, eps 1e-6; its backward with G
X, W, G = np.array([[1.0, 2.0, 4.0, -1.0]]), np.array([1.0, -2.0, 0.5, 3.0]), np.array([[1.0, 0.0, -2.0, 1.0]])
GOLDEN_Y = np.array([[0.4264013939, -1.7056055758, 0.8528027879, -1.2792041818]])
GOLDEN_DX = np.array([[0.5426926621, 0.2325825362, 0.0387636785, 1.1629129137]])
GOLDEN_DW = np.array([0.4264013939, 0.0, -3.4112111516, -0.4264013939])


def test_the_mean_of_squares_becomes_1(mine):
    # 1 and 7: (1 + 49) / 2 = 5²
    call(mine.rms_norm, np.array([[1.0, 7.0]]), ONES, 0.0).value(np.array([[0.2, 1.4]]))


def test_nothing_is_subtracted(mine):
    call(mine.rms_norm, np.array([[3.0, 3.0]]), ONES, 0.0).value(np.array([[1.0, 1.0]]))


def test_each_vector_by_itself(mine):
    x = np.array([[2.0, 2.0], [10.0, -10.0]])
    call(mine.rms_norm, x, ONES, 0.0).value(np.array([[1.0, 1.0], [1.0, -1.0]]))


def test_then_scaled(mine):
    call(mine.rms_norm, np.array([[1.0, 7.0]]), np.array([10.0, 5.0]), 0.0).value(np.array([[2.0, 7.0]]))


def test_eps_is_added_to_the_mean_of_squares(mine):
    # mean of squares 1e-6: 0.001 / sqrt(1e-6 + 3e-6)
    call(mine.rms_norm, np.array([[0.001, -0.001]]), ONES, 3e-6).value(np.array([[0.5, -0.5]]))


def test_a_vector_of_zeros_stays(mine):
    call(mine.rms_norm, np.zeros((1, 2)), ONES).value(np.zeros((1, 2)))


def test_float32_stays_float32(mine):
    x = np.array([[1.0, 7.0]], np.float32)
    call(mine.rms_norm, x, np.ones(2, np.float32)).value(np.array([[0.2, 1.4]], np.float32), rtol=1e-4)


def test_pytorchs_value(mine):
    call(mine.rms_norm, X, W).value(GOLDEN_Y)


def test_what_only_stretches_has_no_gradient(mine):
    # h is 2 x: moving x along it changes nothing
    call(mine.rms_norm, np.array([[1.0, 7.0]]), ONES, 0.0).gradient(np.array([[2.0, 14.0]]), np.zeros((1, 2)), None)


def test_the_weight_is_shared_by_all_vectors(mine):
    x, g = np.array([[[2.0, 2.0]], [[4.0, -4.0]]]), np.array([[[1.0, 2.0]], [[5.0, 7.0]]])
    # n is (1, 1) and (1, -1)
    call(mine.rms_norm, x, ONES, 0.0).gradient(g, None, np.array([6.0, -5.0]))


def test_pytorchs_gradient(mine):
    call(mine.rms_norm, X, W).gradient(G, GOLDEN_DX, GOLDEN_DW, rtol=1e-6, atol=1e-8)


@given(st.integers(1, 3), st.integers(2, 4), st.integers(0, 99))
def test_gradients_follow_differences(mine, rows, width, seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], (2, rows, width))
    call(mine.rms_norm, x, rng.integers(-3, 4, width) * 1.0).follows_differences()
