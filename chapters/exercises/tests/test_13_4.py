"""13.4: asking around padding. Its golden is PyTorch's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_one_word_is_all_there_is_to_look_at(mine):
    q, k, v = np.ones((1, 2, 1)), np.array([[[5.0]]]), np.array([[[7.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True]])).gives(np.array([[[7.0], [7.0]]]))


def test_equal_scores_share(mine):
    q, k, v = np.zeros((1, 1, 2)), np.ones((1, 2, 2)), np.array([[[2.0, 0.0], [4.0, 2.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True]])).gives(np.array([[[3.0, 1.0]]]))


def test_scores_are_divided_by_the_root_of_the_width(mine):
    # q k = 4 * ln(3)/2 = 2 ln 3, divided by sqrt(4): ln 3, so the shares are 3/4 and 1/4
    q, k = np.ones((1, 1, 4)), np.array([[[np.log(3) / 2] * 4, [0.0] * 4]])
    call(mine.cross_attention, q, k, np.array([[[4.0], [0.0]]]), np.array([[True, True]])).gives(np.array([[[3.0]]]))


def test_padding_gets_nothing_however_well_it_fits(mine):
    q, k, v = np.ones((1, 1, 1)), np.array([[[1.0], [1.0], [50.0]]]), np.array([[[2.0], [4.0], [1000.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True, False]])).gives(np.array([[[3.0]]]))


def test_padding_gets_nothing_even_where_words_fit_badly(mine):
    # 0 is a large score here: padding that is only set to 0 would win
    q, k, v = np.ones((1, 1, 1)), np.array([[[-60.0], [-60.0], [0.0]]]), np.array([[[2.0], [4.0], [1000.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True, False]])).gives(np.array([[[3.0]]]))


def test_each_source_has_its_own_padding(mine):
    q, k = np.zeros((2, 1, 1)), np.zeros((2, 2, 1))
    v = np.array([[[1.0], [3.0]], [[1.0], [3.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True], [True, False]])).gives(np.array([[[2.0]], [[1.0]]]))


def test_large_scores_do_not_overflow(mine):
    q, k, v = np.full((1, 1, 1), 100.0), np.array([[[90.0], [91.0]]]), np.array([[[1.0], [2.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True]])).gives(np.array([[[2.0]]]))


def test_each_row_of_scores_has_a_maximum_of_its_own(mine):
    # with one maximum for both, the second row would be 0 divided by 0
    q, k, v = np.array([[[100.0], [0.0]]]), np.array([[[90.0], [91.0]]]), np.array([[[1.0], [2.0]]])
    call(mine.cross_attention, q, k, v, np.array([[True, True]])).gives(np.array([[[2.0], [1.5]]]))


# torch 2.13.0, F.scaled_dot_product_attention(q, k, v, attn_mask=words[:, None, :]), float64, of sin and cos of 0, 1, 2, ...
GOLDEN = np.array(
    [
        [[-0.203142225, 0.251747824, -0.295314687], [-0.067603935, 0.09921041, -0.128831188]],
        [[-0.373821369, 0.382939292, -0.384392681], [0.129962269, -0.090597811, 0.049420038]],
    ]
)


def test_pytorch_says_the_same(mine):
    q, k = np.sin(np.arange(12.0)).reshape(2, 2, 3), np.cos(np.arange(24.0)).reshape(2, 4, 3)
    v, words = (
        np.sin(3 * np.arange(24.0)).reshape(2, 4, 3),
        np.array([[True, True, True, False], [True, True, False, False]]),
    )
    call(mine.cross_attention, q, k, v, words).gives(GOLDEN, rtol=1e-6)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_it_is_as_if_the_padding_were_not_there(mine, t, s, more, seed):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.integers(-3, 4, (1, n, 2)) * 1.0 for n in (t, s + more, s + more))
    words = np.arange(s + more)[None] < s
    scores = q[0] @ k[0, :s].T / np.sqrt(2)
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    call(mine.cross_attention, q, k, v, words).gives((shares @ v[0, :s])[None])
