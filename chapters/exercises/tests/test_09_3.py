"""09.3: the causal mask."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.course.exercises.calls import call

V = np.array([[[[1.0], [2.0], [6.0]]]])  # (B, H, S, V)
ZERO = np.zeros((1, 1, 3, 2))


def on_arrays(mine):
    def attention(q, k, v, **options):
        return mine.attention(Tensor(q), Tensor(k), Tensor(v), **options).numpy()

    return attention


def test_with_no_mask_all_are_seen(mine):
    call(on_arrays(mine), ZERO, ZERO, V).gives(np.array([[[[3.0], [3.0], [3.0]]]]))


def test_equal_scores_give_running_means(mine):
    # the first sees 1; the second 1 and 2; the third all
    call(on_arrays(mine), ZERO, ZERO, V, causal=True).gives(np.array([[[[1.0], [1.5], [3.0]]]]))


def test_the_last_query_stands_beside_the_last_key(mine):
    # two queries, three keys: the first sees two of them
    call(on_arrays(mine), ZERO[:, :, :2], ZERO, V, causal=True).gives(np.array([[[[1.5], [3.0]]]]))


def test_what_a_mask_forbids_is_not_seen(mine):
    mask = np.array([[True, False, True]])
    call(on_arrays(mine), ZERO, ZERO, V, mask=mask).gives(np.array([[[[3.5], [3.5], [3.5]]]]))


def test_mask_and_future_are_both_hidden(mine):
    mask = np.array([[True, False, True]])
    call(on_arrays(mine), ZERO, ZERO, V, mask=mask, causal=True).gives(np.array([[[[1.0], [1.0], [3.5]]]]))


def test_what_is_hidden_has_no_share_however_low_the_others_are(mine):
    # the first query sees one key, with a score of -1000: beside that a number that is only fairly low is the largest
    q, k, v = np.ones((1, 1, 2, 1)), np.array([[[[-1000.0], [0.0]]]]), np.array([[[[1.0], [2.0]]]])
    call(on_arrays(mine), q, k, v, causal=True).gives(np.array([[[[1.0], [2.0]]]]))


def test_gradients_go_through_it(mine):
    # equal shares p of the keys seen: dy/dq = sum of p (v - y) k, for the second query 1/2 (-1/2 · 1 + 1/2 · 2) = 1/4
    def gradient_of_q(q, k, v, **options):
        query = Tensor(q, requires_grad=True)
        mine.attention(query, Tensor(k), Tensor(v), **options).sum().backward()
        return query.grad

    k = np.array([[[[1.0], [2.0], [3.0]]]])
    call(gradient_of_q, np.zeros((1, 1, 3, 1)), k, V, causal=True).gives(np.array([[[[0.0], [0.25], [5 / 3]]]]))


def test_a_forbidden_key_takes_nothing_from_the_others(mine):
    # the hidden key has by far the largest score
    q, k = np.ones((1, 1, 2, 1)), np.array([[[[0.0], [30.0]]]])
    call(on_arrays(mine), q, k, np.ones((1, 1, 2, 1)), causal=True).gives(np.ones((1, 1, 2, 1)))


@given(st.integers(1, 3), st.integers(0, 99))
def test_another_future_does_not_change_the_past(mine, time, seed):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.integers(-3, 4, (1, 2, time + 1, 2)) * 1.0 for _ in range(3))
    k2, v2 = k.copy(), v.copy()
    k2[:, :, -1], v2[:, :, -1] = 5.0, -7.0
    attention = on_arrays(mine)
    past = attention(q, k, v, causal=True)[:, :, :-1]
    call(attention, q, k2, v2, causal=True).then("[:, :, :-1]", lambda y: y[:, :, :-1]).gives(past)


def test_pytorchs_number(mine):
    # F.scaled_dot_product_attention(is_causal=True) of PyTorch 2.13.0 in float64
    q = np.array([[[[1.0, 2.0], [-1.0, 0.0], [0.0, 1.0]]]])
    k = np.array([[[[0.0, 1.0], [1.0, 1.0], [2.0, -1.0]]]])
    call(on_arrays(mine), q, k, V, causal=True).gives(GOLDEN, rtol=1e-6)


GOLDEN = np.array([[[[1.0], [1.330238451], [1.987725533]]]])
