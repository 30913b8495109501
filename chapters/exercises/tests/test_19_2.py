"""19.2: the balance loss."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Spelled

EVEN = Spelled("np.full((4, 4), 0.25)")
SHARES = np.array([[0.75, 0.25, 0.0], [0.25, 0.5, 0.25]])
CHOSEN = np.array([[0, 1], [1, 2]])


def test_used_alike_it_is_the_number_that_each_token_chooses(mine):
    call(mine.balance_loss, EVEN, np.array([[0], [1], [2], [3]])).gives(1.0)
    call(mine.balance_loss, EVEN, np.array([[0, 1], [2, 3], [0, 2], [1, 3]])).gives(2.0)


def test_one_expert_for_all_costs_as_much_as_there_are_experts(mine):
    call(mine.balance_loss, Spelled("np.eye(4)[[2, 2, 2]]"), np.array([[2], [2], [2]])).gives(4.0)


def test_an_expert_that_nobody_chose_counts_as_none(mine):
    # f = (1, 0, 0), P = (1/2, 1/4, 1/4)
    call(mine.balance_loss, np.array([[0.5, 0.25, 0.25]]), np.array([[0]])).gives(1.5)


def test_by_hand(mine):
    # f = (1/2, 1, 1/2), P = (1/2, 3/8, 1/8): 3 (1/4 + 3/8 + 1/16)
    call(mine.balance_loss, SHARES, CHOSEN).gives(3 * 0.6875)


def test_the_gradient_is_larger_for_who_is_chosen_often(mine):
    # 3 f / 2 tokens
    call(mine.balance_gradient, SHARES, CHOSEN).gives(np.tile([0.75, 1.5, 0.75], (2, 1)))


def test_the_gradient_does_not_depend_on_the_shares(mine):
    call(mine.balance_gradient, Spelled("np.full((2, 3), 1 / 3)"), CHOSEN).gives(np.tile([0.75, 1.5, 0.75], (2, 1)))


def test_no_gradient_for_who_is_not_chosen(mine):
    call(mine.balance_gradient, np.array([[0.5, 0.25, 0.25]]), np.array([[0]])).gives(np.array([[3.0, 0.0, 0.0]]))


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 99), st.data())
def test_token_by_token(mine, tokens, experts, seed, data):
    count = data.draw(st.integers(1, experts))
    rng = np.random.default_rng(seed)
    shares = rng.integers(1, 5, (tokens, experts)) * 1.0
    shares /= shares.sum(1, keepdims=True)
    chosen = np.stack([rng.permutation(experts)[:count] for _ in range(tokens)])
    f = [sum(e in row for row in chosen.tolist()) / tokens for e in range(experts)]
    loss = experts * sum(f[e] * sum(row[e] for row in shares) / tokens for e in range(experts))
    call(mine.balance_loss, shares, chosen).gives(float(loss))
    call(mine.balance_gradient, shares, chosen).gives(
        np.array([[experts * f[e] / tokens for e in range(experts)]] * tokens)
    )
