"""Choosing among draws: against all draws that there are, listed; the KL that it costs; and what rejection keeps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import PAD

from tinygrad_llm.align import (
    Rollout,
    best_and_worst,
    best_of_n,
    best_of_n_kl,
    best_of_n_probabilities,
    chosen_batch,
    expected_best,
    rejection_sampling,
)
from tinygrad_llm.errors import ArgumentError, ShapeError


def test_the_best_of_each_group_is_chosen_and_of_equals_the_first():
    rewards = [1.0, 3.0, 3.0, 5.0, 5.0, 4.0, -1.0, -2.0, -1.0]
    assert best_of_n(rewards, 3).tolist() == [1, 3, 6]
    assert best_of_n(rewards, 1).tolist() == list(range(9))
    best, worst = best_and_worst([1.0, 3.0, 2.0, 2.0, 0.0, -1.0], 2)
    assert best.tolist() == [1, 4] and worst.tolist() == [0, 5]  # the second pair has nothing to prefer


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 4))
def test_its_distribution_is_that_of_all_draws(seed, size, n):
    rng = np.random.default_rng(seed)
    p, rewards = rng.dirichlet(np.ones(size)), rng.integers(0, 3, size).astype(float)  # equal ones among them
    expected = np.zeros(size)
    for draws in itertools.product(range(size), repeat=n):
        expected[draws[best_of_n(rewards[list(draws)], n)[0]]] += p[list(draws)].prod()
    np.testing.assert_allclose(best_of_n_probabilities(p, rewards, n), expected, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 64))
def test_its_kl_is_at_most_ln_n_less_n_minus_1_over_n(seed, size, n):
    rng = np.random.default_rng(seed)
    p, rewards = rng.dirichlet(np.full(size, 0.5)), rng.normal(size=size).round(1)
    chosen = best_of_n_probabilities(p, rewards, n)
    kl = sum(q * math.log(q / r) for q, r in zip(chosen, p) if q > 0)
    assert -1e-9 <= kl <= best_of_n_kl(n) + 1e-9


def test_with_many_answers_that_all_differ_the_bound_is_reached():
    p, rewards = np.full(20_000, 1 / 20_000), np.arange(20_000.0)
    chosen = best_of_n_probabilities(p, rewards, 8)
    np.testing.assert_allclose(
        (chosen * np.log(chosen / p, where=chosen > 0, out=np.zeros_like(p))).sum(), best_of_n_kl(8), rtol=1e-3
    )
    assert best_of_n_kl(1) == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7))
def test_the_expected_best_is_the_mean_over_all_choices(seed, size, n):
    rewards = np.random.default_rng(seed).normal(size=size).round(1)
    if n > size:
        with pytest.raises(ShapeError):
            expected_best(rewards, n)
    else:
        every = [max(choice) for choice in itertools.combinations(rewards, n)]
        np.testing.assert_allclose(expected_best(rewards, n), np.mean(every), rtol=1e-9, atol=1e-12)


def test_what_rejection_keeps_is_drawn_from_the_tilted_distribution():
    """p e^(r / beta) / Z, by a chi-square test over 40,000 draws, with three degrees of freedom."""
    rng, beta = np.random.default_rng(3), 0.7
    p, rewards = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.0, 1.0, 0.5, 2.0])
    draws = rng.choice(4, 40_000, p=p)
    kept = rejection_sampling(rewards[draws], beta, rng)
    wanted = p * np.exp(rewards / beta)
    counts = np.bincount(draws[kept], minlength=4)
    distance = lambda shares: ((counts - counts.sum() * shares) ** 2 / (counts.sum() * shares)).sum()
    assert distance(wanted / wanted.sum()) < 16.3 and distance(p) > 100  # one in a thousand is beyond 16.3
    np.testing.assert_allclose(kept.mean(), (p * np.exp((rewards - 2) / beta)).sum(), rtol=0.03)


def test_of_each_group_the_best_is_always_kept_and_with_a_small_beta_nothing_else():
    rewards = np.random.default_rng(4).normal(size=24)
    kept = rejection_sampling(rewards, 0.5, np.random.default_rng(5), n=4)
    assert kept[best_of_n(rewards, 4)].all() and kept.sum() > 6
    only = rejection_sampling(rewards, 1e-6, np.random.default_rng(5), n=4)
    assert np.flatnonzero(only).tolist() == best_of_n(rewards, 4).tolist()
    assert rejection_sampling(rewards, 1e9, np.random.default_rng(5)).all()


def test_what_was_chosen_is_learned_as_it_stands():
    written = Rollout([[5], [6], [7]], [[1], [2, 3], [4]], np.array([True, True, False]), {})
    for rows in ([1, 2], np.array([False, True, True])):
        batch = chosen_batch(written, rows, PAD)
        assert batch["tokens"].tolist() == [[6, 2], [7, PAD]] and batch["targets"].tolist() == [[2, 3], [4, -100]]
    with pytest.raises(ArgumentError, match="at least one"):
        chosen_batch(written, np.zeros(3, bool), PAD)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: best_of_n([1.0, 2.0, 3.0], 2), ShapeError), (lambda: best_of_n([], 2), ShapeError),
        (lambda: best_of_n([[1.0, 2.0]], 2), ShapeError), (lambda: best_of_n([1.0, math.nan], 2), ArgumentError),
        (lambda: best_of_n([1.0, 2.0], 0), ArgumentError), (lambda: best_of_n_kl(0), ArgumentError),
        (lambda: best_of_n_probabilities([0.5, 0.4], [1.0, 2.0], 2), ArgumentError),
        (lambda: best_of_n_probabilities([1.5, -0.5], [1.0, 2.0], 2), ArgumentError),
        (lambda: best_of_n_probabilities([0.5, 0.5], [1.0], 2), ShapeError),
        (lambda: rejection_sampling([1.0], 0.0, np.random.default_rng(0)), ArgumentError),
        (lambda: rejection_sampling([], 1.0, np.random.default_rng(0)), (ArgumentError, ShapeError)),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_from_is_refused(call, error):
    with pytest.raises(error):
        call()
