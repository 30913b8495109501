"""10.3: ALiBi."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_one_head_has_the_slope_of_the_last(mine):
    call(mine.alibi_bias, 1, 2, 2).gives(np.array([[[0.0, -1 / 256], [-1 / 256, 0.0]]]))


def test_eight_heads_halve_their_slopes(mine):
    made = call(mine.alibi_bias, 8, 2, 2).then("[:, 1, 0]", lambda bias: bias[:, 1, 0])
    made.gives(-(0.5 ** np.arange(1, 9)))


def test_four_heads_quarter_them(mine):
    made = call(mine.alibi_bias, 4, 2, 2).then("[:, 1, 0]", lambda bias: bias[:, 1, 0])
    made.gives(-(0.25 ** np.arange(1, 5)))


def test_it_falls_with_the_distance_both_ways(mine):
    made = call(mine.alibi_bias, 8, 4, 4).then("[0]", lambda bias: bias[0])
    made.gives(-0.5 * np.array([[0.0, 1, 2, 3], [1, 0, 1, 2], [2, 1, 0, 1], [3, 2, 1, 0]]))


def test_the_last_query_stands_at_the_last_key(mine):
    made = call(mine.alibi_bias, 8, 2, 4).then("[0]", lambda bias: bias[0])
    made.gives(-0.5 * np.array([[2.0, 1, 0, 1], [3, 2, 1, 0]]))


@given(st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 4), st.integers(0, 3))
def test_softmax_of_it_is_that_of_bloom(mine, n_head, time, earlier):
    # transformers' build_alibi_tensor adds slope · s; a causal query t sees no key after its own
    slopes = np.array([2 ** (-8 * (h + 1) / n_head) for h in range(n_head)])
    source = time + earlier
    hidden = np.arange(source) > np.arange(time)[:, None] + earlier

    def shares(bias):
        e = np.where(hidden, 0, np.exp(bias))
        return e / e.sum(-1, keepdims=True)

    made = call(mine.alibi_bias, n_head, time, source).then(" after a causal softmax", shares)
    made.gives(shares(slopes[:, None, None] * np.arange(source)))
