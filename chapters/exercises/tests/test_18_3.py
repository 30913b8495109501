"""18.3: heads that share keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

V = np.array([[[[1.0], [2.0]], [[10.0], [20.0]]]])  # (B, G, S, K): two heads of values, two positions
# torch 2.13.0: F.scaled_dot_product_attention(Q, K, W, enable_gqa=True) in float64
Q = np.array([1.0, 2, 0, -1, 3, 1, -2, 1]).reshape(1, 4, 1, 2)
K = np.array([1.0, 0, 2, 1, -1, 1, 0, 2]).reshape(1, 2, 2, 2)
W = np.array([1.0, 2, 3, 4, 5, 6, 7, 9]).reshape(1, 2, 2, 2)
GOLDEN = np.array(
    [[2.7859163971, 3.7859163971], [1.6604769013, 2.6604769013], [6.8883855616, 8.8325783424], [5.6604769013, 6.9907153520]]
).reshape(1, 4, 1, 2)  # fmt: skip


def test_as_many_heads_as_ever(mine):
    call(mine.grouped_attention, np.zeros((1, 2, 1, 1)), 0 * V, V).gives(np.array([[[[1.5]], [[15.0]]]]))


def test_one_head_for_all(mine):
    call(mine.grouped_attention, np.zeros((1, 3, 1, 1)), 0 * V[:, :1], V[:, :1]).gives(np.full((1, 3, 1, 1), 1.5))


def test_neighbours_share(mine):
    made = call(mine.grouped_attention, np.zeros((1, 4, 1, 1)), 0 * V, V)
    made.gives(np.array([[[[1.5]], [[1.5]], [[15.0]], [[15.0]]]]))


def test_every_query_head_asks_for_itself(mine):
    # one key is far better than the other, for each head another one
    q, k = np.array([[[[1000.0]], [[-1000.0]]]]), np.array([[[[1.0], [0.0]]]])
    call(mine.grouped_attention, q, k, V[:, :1]).gives(np.array([[[[1.0]], [[2.0]]]]))


def test_keys_of_its_own_group(mine):
    q, k = np.full((1, 4, 1, 1), 1000.0), np.array([[[[1.0], [0.0]], [[0.0], [1.0]]]])
    call(mine.grouped_attention, q, k, V).gives(np.array([[[[1.0]], [[1.0]], [[20.0]], [[20.0]]]]))


def test_scores_are_scaled_by_the_size_of_a_head(mine):
    # q k is 2 ln 3 with K = 4: halved, the first key has three times the share of the second
    q = np.full((1, 2, 1, 4), np.log(3) / 2)
    k = np.array([[[[1.0] * 4, [0.0] * 4]]])
    v = np.array([[[[4.0] * 4, [0.0] * 4]]])
    call(mine.grouped_attention, q, k, v).gives(np.full((1, 2, 1, 4), 3.0))


def test_queries_stay_where_they_are(mine):
    q, k = np.array([[[[1000.0], [-1000.0]]] * 2]).reshape(1, 2, 2, 1), np.array([[[[1.0], [0.0]]]])
    call(mine.grouped_attention, q, k, V[:, :1]).gives(np.array([[[[1.0], [2.0]], [[1.0], [2.0]]]]))


def test_as_pytorch_has_it(mine):
    call(mine.grouped_attention, Q, K, W).gives(GOLDEN)


def test_bytes_of_one_position(mine):
    # keys and values, one number of four bytes each
    call(mine.cache_bytes, 1, 1, 1, 1).gives(8)


def test_each_size_counts(mine):
    call(mine.cache_bytes, 3, 1, 1, 1).gives(24)
    call(mine.cache_bytes, 1, 5, 1, 1).gives(40)
    call(mine.cache_bytes, 1, 1, 7, 1).gives(56)
    call(mine.cache_bytes, 1, 1, 1, 11).gives(88)
    call(mine.cache_bytes, 1, 1, 1, 1, number_bytes=2).gives(4)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_head_by_head(mine, groups, share, seed):
    rng = np.random.default_rng(seed)
    q = rng.integers(-3, 4, (2, groups * share, 2, 3)) * 1.0
    k, v = rng.integers(-3, 4, (2, 2, groups, 4, 3)) * 1.0
    wanted = np.empty(q.shape)
    for b, h in np.ndindex(q.shape[:2]):
        e = np.exp(q[b, h] @ k[b, h // share].T / np.sqrt(3))
        wanted[b, h] = e / e.sum(1, keepdims=True) @ v[b, h // share]
    call(mine.grouped_attention, q, k, v).gives(wanted)
