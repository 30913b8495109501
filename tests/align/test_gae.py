"""Generalized advantages against the sum that defines them, and rewards at the places they belong to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.align import answer_batch, answer_kl, gae, ppo_batch, token_rewards, whitened
from tinygrad_llm.errors import ArgumentError, ShapeError


def by_definition(rewards, values, mask, gamma, lam):
    """A_t = sum_k (gamma lam)^k delta_(t+k), each answer by itself, each sum anew."""
    advantages = np.zeros(mask.shape)
    for row in range(len(mask)):
        places = np.flatnonzero(mask[row])
        r, v = rewards[row, places], np.append(values[row, places], 0.0)
        delta = [r[t] + gamma * v[t + 1] - v[t] for t in range(len(r))]
        for t, place in enumerate(places):
            advantages[row, place] = sum((gamma * lam) ** k * delta[t + k] for k in range(len(r) - t))
    return advantages


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 9), st.floats(0, 1), st.floats(0, 1))
def test_it_is_the_discounted_sum_of_deltas(seed, rows, size, gamma, lam):
    rng = np.random.default_rng(seed)
    rewards, values = rng.normal(size=(2, rows, size))
    mask = rng.random((rows, size)) < 0.6  # with gaps: turns of somebody else, and padding on either side
    advantages, returns = gae(rewards, values, mask, gamma=gamma, lam=lam)
    np.testing.assert_allclose(advantages, by_definition(rewards, values, mask, gamma, lam), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(returns, np.where(mask, advantages + values, 0), atol=1e-12)


def test_nothing_outside_an_answer_reaches_into_it():
    rng = np.random.default_rng(2)
    rewards, values = rng.normal(size=(2, 2, 6))
    mask = np.array([[0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1]], bool)
    found = gae(rewards, values, mask)
    loud = gae(np.where(mask, rewards, 1e6), np.where(mask, values, -1e6), mask)
    np.testing.assert_array_equal(found[0], loud[0])
    np.testing.assert_array_equal(found[1], loud[1])


def test_lambda_1_is_what_came_less_what_was_expected_and_lambda_0_one_step():
    rewards, values, mask = np.array([[1.0, 2.0, 4.0]]), np.array([[0.5, 0.25, 3.0]]), np.ones((1, 3), bool)
    advantages, returns = gae(rewards, values, mask, gamma=0.5, lam=1.0)
    np.testing.assert_allclose(returns, [[3.0, 4.0, 4.0]], rtol=1e-12)
    np.testing.assert_allclose(advantages, returns - values, rtol=1e-12)
    np.testing.assert_allclose(gae(rewards, values, mask, gamma=0.5, lam=0.0)[0], [[0.625, 3.25, 1.0]], rtol=1e-12)


def test_values_that_are_right_leave_no_advantage():
    """With V_t the rewards still to come, every delta is 0."""
    rewards, mask = np.random.default_rng(3).normal(size=(3, 5)), np.ones((3, 5), bool)
    values = rewards[:, ::-1].cumsum(1)[:, ::-1]
    np.testing.assert_allclose(gae(rewards, values, mask, lam=0.7)[0], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("rewards", "values", "mask", "options", "error"),
    [
        ((2, 3), (2, 3), (2, 4), {}, ShapeError), ((2, 3), (2, 4), (2, 3), {}, ShapeError), ((3,), (3,), (3,), {}, ShapeError),
        ((2, 3), (2, 3), (2, 3), {"gamma": 1.1}, ArgumentError), ((2, 3), (2, 3), (2, 3), {"lam": -0.1}, ArgumentError),
        ((2, 3), (2, 3), (2, 3), {"lam": np.nan}, ArgumentError),
    ],
)  # fmt: skip
def test_other_shapes_and_shares_are_refused(rewards, values, mask, options, error):
    with pytest.raises(error):
        gae(np.zeros(rewards), np.zeros(values), np.ones(mask, bool), **options)


def test_whitened_numbers_have_mean_0_and_variance_1_where_they_count():
    rng = np.random.default_rng(4)
    x, mask = rng.normal(3, 5, (4, 6)), rng.random((4, 6)) < 0.5
    found = whitened(x, mask)
    np.testing.assert_allclose([found[mask].mean(), found[mask].var()], [0, 1], atol=1e-8)
    assert not found[~mask].any()
    np.testing.assert_array_equal(found, whitened(np.where(mask, x, 1e9), mask))
    with pytest.raises(ShapeError):
        whitened(x, np.zeros((4, 6), bool))
    with pytest.raises(ShapeError):
        whitened(x, mask[:, :-1])


def written():
    batch = answer_batch([[5, 6], [7]], [[8], [9, 10, 2]], 0)
    old, reference = np.array([[0, -1.0, 0], [-2.0, -0.5, -3.0]]), np.array([[0, -1.5, 0], [-1.0, -0.25, -4.0]])
    return {**batch, "old_log_probs": old, "reference_log_probs": reference}


def test_each_token_pays_for_leaving_the_reference_and_the_last_one_has_the_score():
    found = token_rewards(written(), np.array([10.0, 20.0]), 0.1)
    np.testing.assert_allclose(found, [[0, 10 - 0.05, 0], [0.1, 0.025, 20 - 0.1]], rtol=1e-12)
    np.testing.assert_allclose(found.sum(1), [10 - 0.1 * 0.5, 20 - 0.1 * -0.25], rtol=1e-12)
    np.testing.assert_allclose(answer_kl(written()), (0.5 - 0.25) / 2, rtol=1e-12)
    free = {name: array for name, array in written().items() if name != "reference_log_probs"}
    np.testing.assert_allclose(token_rewards(free, np.array([10.0, 20.0]), 0.0), [[0, 10, 0], [0, 0, 20]])


def test_what_is_missing_or_of_another_shape_is_refused():
    free = {name: array for name, array in written().items() if name != "reference_log_probs"}
    with pytest.raises(ArgumentError, match="reference_log_probs"):
        token_rewards(free, np.zeros(2), 0.1)
    with pytest.raises(ShapeError, match="scores"):
        token_rewards(written(), np.zeros(3), 0.1)
    with pytest.raises(ArgumentError, match="kl_coef"):
        token_rewards(written(), np.zeros(2), -0.1)


def test_a_batch_for_ppo_has_the_advantages_of_its_rewards():
    batch, scores, values = written(), np.array([1.0, -2.0]), np.random.default_rng(5).normal(size=(2, 3))
    mask = batch["targets"] != -100
    advantages, returns = gae(token_rewards(batch, scores, 0.2), values, mask, gamma=0.9, lam=0.8)
    plain = ppo_batch(batch, scores, values, kl_coef=0.2, gamma=0.9, lam=0.8, whiten=False)
    np.testing.assert_allclose(plain["advantages"], advantages, rtol=1e-12)
    np.testing.assert_allclose(plain["returns"], returns, rtol=1e-12)
    np.testing.assert_array_equal(plain["old_values"], np.where(mask, values, 0))
    found = ppo_batch(batch, scores, values, kl_coef=0.2, gamma=0.9, lam=0.8)
    np.testing.assert_allclose(found["advantages"], whitened(advantages, mask), rtol=1e-12)
    np.testing.assert_allclose(found["returns"], returns, rtol=1e-12)  # what values learn is not whitened
    assert set(found) == {*batch, "advantages", "returns", "old_values"}
