"""09.2: a dictionary that answers in shares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

V = np.array([[1.0], [3.0]])


def test_a_query_that_does_not_care_gets_the_mean(mine):
    call(mine.look_up, np.zeros((1, 2)), np.array([[1.0, 0.0], [0.0, 1.0]]), V).value(np.array([[2.0]]))


def test_scores_are_divided_by_the_root_of_the_size(mine):
    # q·k = 2 ln 3 and 0; over √4 = 2 that is ln 3 and 0, so the shares are 3 : 1
    q, k = np.array([[np.log(3.0), np.log(3.0), 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    call(mine.look_up, q, k, V).value(np.array([[1.5]]))


def test_axes_in_front_stay_where_they_are(mine):
    q = np.array([[[[np.log(3.0), np.log(3.0), 0.0, 0.0]]]])
    k = np.array([[[[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]]])
    call(mine.look_up, q, k, V[None, None]).value(np.array([[[[1.5]]]]))


def test_big_scores_do_not_overflow(mine):
    call(mine.look_up, np.array([[1000.0]]), np.array([[1000.0], [0.0]]), V).value(np.array([[1.0]]))
    # with one maximum for both queries, the second one's shares would be 0 divided by 0
    q, k = np.array([[1000.0], [0.0]]), np.array([[1000.0], [0.0]])
    call(mine.look_up, q, k, V).value(np.array([[1.0], [2.0]]))


def test_sizes_may_all_differ(mine):
    # five queries, three keys of size 2, values of size 4
    call(mine.look_up, np.zeros((5, 2)), np.ones((3, 2)), np.ones((3, 4))).value(np.ones((5, 4)))


def test_the_gradient_of_the_values_by_hand(mine):
    # each value got a share of one half from both queries
    g = np.array([[1.0], [2.0]])
    call(mine.look_up, np.zeros((2, 1)), np.zeros((2, 1)), V).gradient(g, None, None, np.array([[1.5], [1.5]]))


def test_the_gradients_by_hand(mine):
    # shares ½, ½; dshares = (1, 3); dscores = ½ (1 - 2), ½ (3 - 2); size 1, so the root is 1
    q, k = np.array([[0.0]]), np.array([[5.0], [7.0]])
    dk = np.array([[0.0], [0.0]])  # q is 0
    call(mine.look_up, q, k, V).gradient(
        np.array([[1.0]]), np.array([[0.5 * 7 - 0.5 * 5]]), dk, np.array([[0.5], [0.5]])
    )


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_gradients_follow_differences(mine, t, s, k, v, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.integers(-2, 3, shape) * 1.0 for shape in ((t, k), (s, k), (s, v))]
    call(mine.look_up, *arrays).follows_differences()


def test_a_batch_of_heads(mine):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-2, 3, shape) * 1.0 for shape in ((2, 3, 2, 4), (2, 3, 3, 4), (2, 3, 3, 2))]
    call(mine.look_up, *arrays).follows_differences()


def test_pytorchs_number(mine):
    # F.scaled_dot_product_attention of PyTorch 2.13.0 in float64
    q = np.array([[1.0, 2.0], [-1.0, 0.0]])
    k = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, -1.0]])
    call(mine.look_up, q, k, np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])).value(GOLDEN, rtol=1e-6)


GOLDEN = np.array([[0.454334513, 0.76862438], [0.856033835, 0.5640539]])
