"""Claims about drawing one token: what is kept, how often it is drawn, row by row of a batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler
from tinygrad_llm.generate.sampling import Temperature, TopK, TopP

numbers = st.integers(-20, 20).map(lambda i: i / 4)
logits = st.lists(numbers, min_size=1, max_size=8).map(np.array)


@st.composite
def batches(draw):
    """(B, V), many ties among them."""
    width = draw(st.integers(1, 8))
    return np.array(draw(st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=4)))


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


def of_one_row(x, t, k, p, greedy):
    """The definition: temperature, then the k best, then the smallest set that holds p; the earlier of equals."""
    ranking = sorted(range(len(x)), key=lambda i: (-x[i], i))
    if greedy:
        return np.eye(len(x))[ranking[0]]
    weights = np.exp((x - x.max()) / t)
    kept, total = [], weights[ranking[:k]].sum()
    for i in ranking[:k]:
        if kept and weights[kept].sum() / total >= p:
            break
        kept.append(i)
    out = np.zeros(len(x))
    out[kept] = weights[kept] / weights[kept].sum()
    return out


@given(x=batches(), t=st.sampled_from([0.3, 1.0, 2.0]), k=st.sampled_from([None, 1, 3, 9]),
       p=st.sampled_from([0.2, 0.55, 0.9, 1.0]), greedy=st.booleans())  # fmt: skip
def test_each_row_of_a_batch_is_drawn_from_as_if_it_were_alone(x, t, k, p, greedy):
    sampler, before = Sampler(t, k, p, greedy), x.copy()
    found = sampler.probabilities(x)
    for row, own in zip(found, x):
        np.testing.assert_allclose(row, sampler.probabilities(own), rtol=1e-12)
        np.testing.assert_allclose(row, of_one_row(own, t, k, p, greedy), rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(x, before)  # nothing is written into what is given
    uniform = np.random.default_rng(0).random(len(x))
    ids = sampler.pick(x, uniform)
    for i, row in enumerate(found):  # the first id at which the summed probability exceeds the number
        assert ids[i] == np.searchsorted(np.cumsum(row), uniform[i] * np.cumsum(row)[-1], side="right")
    drawn = sampler.draw(x, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, ids)
    assert sampler.draw(x[0], np.random.default_rng(0)) == ids[0]


@given(x=batches(), t=st.sampled_from([0.3, 2.0]), k=st.integers(1, 9), p=st.sampled_from([0.2, 0.55, 0.9]))
def test_transforms_are_the_definitions_on_logits(x, t, k, p):
    for transform, sampler in ((Temperature(t), Sampler(t)), (TopK(k), Sampler(top_k=k)), (TopP(p), Sampler(top_p=p))):
        changed = transform(x)
        kept = sampler.probabilities(x) > 0
        assert (np.isneginf(changed) == ~kept).all()
        scaled = (x - x.max(1, keepdims=True)) / t if isinstance(transform, Temperature) else x
        np.testing.assert_array_equal(changed[kept], scaled[kept])


@pytest.mark.parametrize("t", [1e-320, 5e-324, 1e-308, 1e-300, 1e-40, 1e-5])
def test_the_smallest_temperatures_leave_the_most_likely_token_alone_or_the_most_likely_ones(t):
    large = float(np.finfo(np.float32).max)
    for x, p in (
        ([1, 2, 3], [0, 0, 1]), ([-3, -1, -2], [0, 1, 0]), ([2, 1, 2], [0.5, 0, 0.5]), ([0, -np.inf, -1], [1, 0, 0]),
        ([large, -large, 0], [1, 0, 0]), ([-large, -np.inf, -large], [0.5, 0, 0.5]), ([7], [1]),
    ):  # fmt: skip
        for sampler in (Sampler(t), Sampler(t, top_k=2), Sampler(t, top_p=0.9)):
            assert sampler.probabilities(x).tolist() == p
            assert sampler.pick([x] * 2, np.array([0, 1 - 2**-53])).tolist() == [
                p.index(max(p)), len(p) - 1 - p[::-1].index(max(p)),
            ]  # fmt: skip


def test_the_largest_number_below_one_picks_the_last_token_that_can_be():
    x = np.log(np.array([[0.2, 0.3, 0.5, 0.0]]) + 1e-300)
    x[0, 3] = -np.inf
    assert Sampler().pick(x, np.array([np.nextafter(1, 0)])).tolist() == [2]
    assert Sampler().pick(x, np.array([0.0])).tolist() == [0]


def test_no_number_picks_what_cannot_be():
    x = np.array([[-np.inf, 0.0, -np.inf, 0.0, -np.inf]])
    picked = [int(Sampler().pick(x, np.array([u]))[0]) for u in (0.0, 0.25, 0.5, 0.75, np.nextafter(1, 0))]
    assert picked == [1, 1, 3, 3, 3]


def test_transforms_that_come_first_see_logits_and_texts():
    seen = []

    def never_again(logits_BV, texts):
        seen.append([list(text) for text in texts])
        out = logits_BV.copy()
        for row, text in zip(out, texts):
            row[text[-1]] = -np.inf
        return out

    x, texts = np.array([[3.0, 2.0, 1.0], [0.0, 5.0, 6.0]]), [[1, 0], [2]]
    for sampler in (Sampler(greedy=True, first=(never_again,)), Sampler(top_k=1, first=(never_again,))):
        assert sampler.draw(x, np.random.default_rng(0), texts).tolist() == [1, 1]
        np.testing.assert_array_equal(sampler.probabilities(x, texts), [[0, 1, 0], [0, 1, 0]])
    assert seen == [texts] * 4
    assert Sampler(0.5, 3, 0.9, first=(never_again,)).transforms == [
        never_again,
        Temperature(0.5),
        TopK(3),
        TopP(0.9),
    ]


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
@given(x=batches(), k=st.integers(1, 9), p=st.sampled_from([0.1, 0.5, 0.9]), t=st.sampled_from([0.5, 1.5]))
def test_kept_sets_equal_those_of_transformers(x, k, p, t):
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    x = x + np.arange(x.shape[1]) * 1e-6  # no ties: theirs keeps all of them
    x = x - x.max(1, keepdims=True)  # where ours divides them, so that logits can be compared and not shares alone
    theirs, ours = torch.tensor(x), x
    for warper, transform in (
        (TemperatureLogitsWarper(t), Temperature(t)), (TopKLogitsWarper(k), TopK(k)), (TopPLogitsWarper(p), TopP(p)),
    ):  # fmt: skip
        theirs, ours = warper(None, theirs), transform(ours)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)
    np.testing.assert_allclose(Sampler(t, k, p).probabilities(x), torch.softmax(theirs, -1).numpy(), atol=1e-9)


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"temperature": -1}, {"temperature": float("inf")}, {"temperature": float("nan")},
                                 {"top_k": 0}, {"top_k": -2}, {"top_k": 1.5}, {"top_k": 2.0}, {"top_k": True}, {"top_k": "3"}, {"top_p": 0.0}, {"top_p": 1.1}, {"top_p": -0.1}])  # fmt: skip
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        Sampler(**bad)


@pytest.mark.parametrize(
    "bad",
    [np.array([np.nan, 1.0]), np.array([]), np.ones((1, 2, 2)), np.array([-np.inf, -np.inf]), np.array([np.inf, 0]),
     np.array([[1.0, 2.0], [np.nan, 0.0]]), np.array([[1.0, 2.0], [-np.inf, -np.inf]]), np.ones((2, 0)), np.array(1.0)],
)  # fmt: skip
def test_logits_that_are_no_distribution_are_refused(bad):
    for what in (Sampler().probabilities, lambda x: Sampler(greedy=True).draw(x, np.random.default_rng(0))):
        with pytest.raises(ArgumentError, match="logits"):
            what(bad)
