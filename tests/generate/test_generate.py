"""Claims about drawing tokens: what is kept, how often it is drawn, and what a model is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, TokenError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig

logits = st.lists(st.integers(-20, 20).map(lambda i: i / 4), min_size=1, max_size=8).map(np.array)


@given(x=logits, t=st.sampled_from([0.1, 0.7, 1.0, 3.0]))
def test_temperature_is_a_softmax_of_scaled_logits(x, t):
    expected = np.exp(x / t - (x / t).max())
    np.testing.assert_allclose(Sampler(t).probabilities(x), expected / expected.sum(), rtol=1e-12)


@given(x=logits, k=st.integers(1, 9))
def test_top_k_keeps_exactly_k_of_equals_the_first(x, k):
    p = Sampler(top_k=k).probabilities(x)
    kept = sorted(range(len(x)), key=lambda i: (-x[i], i))[:k]
    assert set(np.flatnonzero(p)) == set(kept)
    full = Sampler().probabilities(x)
    np.testing.assert_allclose(p[kept], full[kept] / full[kept].sum(), rtol=1e-12)


@given(x=logits, top_p=st.sampled_from([0.01, 0.3, 0.5, 0.9, 0.999]))
def test_top_p_keeps_the_smallest_set_that_reaches_p_with_the_token_that_crosses_it(x, top_p):
    full = Sampler().probabilities(x)
    kept = np.flatnonzero(Sampler(top_p=top_p).probabilities(x))
    mass = full[kept].sum()
    assert mass >= top_p - 1e-12
    assert mass - full[kept].min() < top_p + 1e-12
    assert full[kept].min() >= np.delete(full, kept).max(initial=0) - 1e-12


@given(x=logits)
def test_greedy_takes_the_first_of_the_largest(x):
    assert Sampler(greedy=True).draw(x, np.random.default_rng(0)) == int(np.argmax(x))


@pytest.mark.parametrize(
    "sampler", [Sampler(0.7), Sampler(top_k=3), Sampler(top_p=0.8), Sampler(2.0, top_k=4, top_p=0.9)]
)
def test_draws_are_as_frequent_as_probable(sampler):
    x = np.array([0.0, 1.0, 2.0, 0.5, -1.0])
    rng = np.random.default_rng(0)
    counts = np.bincount([sampler.draw(x, rng) for _ in range(4000)], minlength=5)
    expected = 4000 * sampler.probabilities(x)
    assert not counts[expected == 0].any()
    possible = expected > 0
    assert ((counts - expected) ** 2 / np.where(possible, expected, 1)).sum() < 18.5  # chi-square, one in a thousand


@pytest.mark.oracle
@given(x=logits, k=st.integers(1, 9), p=st.sampled_from([0.1, 0.5, 0.9]), t=st.sampled_from([0.5, 1.5]))
def test_kept_sets_equal_those_of_transformers(x, k, p, t):
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    x = x + np.arange(len(x)) * 1e-6  # no ties: theirs keeps all of them
    theirs = torch.tensor(x)[None]
    for warper in (TemperatureLogitsWarper(t), TopKLogitsWarper(k), TopPLogitsWarper(p)):
        theirs = warper(None, theirs)
    np.testing.assert_allclose(Sampler(t, k, p).probabilities(x), torch.softmax(theirs[0], -1).numpy(), atol=1e-9)


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"temperature": -1}, {"temperature": float("inf")}, {"temperature": float("nan")},
                                 {"top_k": 0}, {"top_k": -2}, {"top_p": 0.0}, {"top_p": 1.1}, {"top_p": -0.1}])  # fmt: skip
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        Sampler(**bad)


@pytest.mark.parametrize(
    "bad", [np.array([np.nan, 1.0]), np.array([]), np.ones((2, 2)), np.array([-np.inf, -np.inf]), np.array([np.inf, 0])]
)
def test_logits_that_are_no_distribution_are_refused(bad):
    with pytest.raises(ArgumentError, match="logits"):
        Sampler().probabilities(bad)


@pytest.fixture(scope="module")
def model():
    return GPT(GPTConfig(9, 4, 1, 1, 8), rng=np.random.default_rng(0))


def test_each_token_is_drawn_from_the_last_block_size_tokens(model):
    written = list(generate(model, [1, 2, 3], 6, Sampler(greedy=True), np.random.default_rng(0)))
    text = [1, 2, 3]
    for token in written:
        assert token == int(model(np.array([text[-4:]])).data[0, -1].argmax())
        text.append(token)


def test_the_same_seed_writes_the_same(model):
    write = lambda seed: list(generate(model, [0], 20, Sampler(), np.random.default_rng(seed)))
    assert write(1) == write(1) != write(2)


def test_tokens_come_one_at_a_time(model):
    stream = generate(model, [0], 1_000_000_000, Sampler(), np.random.default_rng(0))
    assert 0 <= next(stream) < 9


def test_what_cannot_begin_is_refused(model):
    for prompt, error in (([], ArgumentError), ([9], TokenError)):
        with pytest.raises(error):
            next(generate(model, prompt, 1, Sampler(), np.random.default_rng(0)))
    with pytest.raises(ArgumentError):
        next(generate(model, [0], -1, Sampler(), np.random.default_rng(0)))
