"""The reward model: read at the last token that counts, whatever else stands in the row; its loss by the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cached_models import redrawn
from splits import assert_gradient, assert_splits
from toy import PAD, model, on_the_left, texts

from tinygrad_llm.align import RewardLoss, RewardModel, ScalarModel, answer_batch, reward_batch, text_batch
from tinygrad_llm.errors import ArgumentError, ShapeError


def a_model(seed, **changes):
    return redrawn(RewardModel(model(seed, **changes), rng=np.random.default_rng(seed)), seed)


def one_by_one(found, prompts, answers):
    """w . h of the last token of each text by itself."""
    weight = found.score.numpy()[0]
    return np.array([found.decoder.hidden(np.array([p + a])).numpy()[0, -1] @ weight for p, a in zip(prompts, answers)])


def test_a_reward_is_read_at_the_last_token_that_counts():
    prompts, answers, _ = texts(31, 6)
    found = a_model(32)
    expected = one_by_one(found, prompts, answers)
    for pad in (PAD, 4, answers[0][-1]):  # a pad that is a token of the texts too, as where the end stands for both
        np.testing.assert_allclose(found.scores(text_batch(prompts, answers, pad)).numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(found.rewards(prompts, answers), expected, rtol=1e-10)


def test_padding_before_the_texts_changes_nothing():
    prompts, answers, _ = texts(33, 5)
    found = a_model(34)
    batch = text_batch(prompts, answers)
    moved = on_the_left(
        {
            "tokens": batch["tokens"],
            "targets": np.where(np.arange(batch["tokens"].shape[1]) < batch["lengths"][:, None], 1, -100),
        },
        2,
    )
    moved["lengths"] = np.full(5, moved["tokens"].shape[1])
    np.testing.assert_allclose(found.scores(moved).numpy(), one_by_one(found, prompts, answers), rtol=1e-10)


def test_a_value_has_seen_what_stands_before_it_and_nothing_behind():
    prompts, answers, _ = texts(35, 4)
    found = redrawn(ScalarModel(model(36)), 36)
    batch = answer_batch(prompts, answers, PAD)
    expected = found(batch).numpy()
    assert expected.shape == batch["tokens"].shape
    for t in range(1, expected.shape[1]):
        later = {**batch, "tokens": np.where(np.arange(expected.shape[1]) >= t, 5, batch["tokens"])}
        np.testing.assert_allclose(found(later).numpy()[:, :t], expected[:, :t], rtol=1e-12)
    np.testing.assert_allclose(found(batch).numpy(), found.of(found.states(batch)).numpy(), rtol=1e-12)


def test_a_new_head_says_0_to_everything_or_is_drawn():
    prompts, answers, _ = texts(37, 4)
    assert not RewardModel(model(38)).rewards(prompts, answers).any()
    drawn = RewardModel(model(38), rng=np.random.default_rng(0))
    assert drawn.rewards(prompts, answers).std() > 0
    assert drawn.score.dtype == np.float64 and drawn.score.shape == (1, drawn.decoder.head()[0].shape[1])


def a_batch(seed, margin=False):
    prompts, one, other = texts(seed, 5)
    batch = reward_batch(prompts, one, other)
    return {**batch, "margin": np.random.default_rng(seed).uniform(0, 2, 5)} if margin else batch


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("centring", [0.0, 0.07])
def test_the_loss_is_bradleys_and_terrys(margin, centring):
    found, batch = a_model(39), a_batch(40, margin)
    prompts, one, other = texts(40, 5)
    r, s = found.rewards(prompts, one), found.rewards(prompts, other)
    d = r - s - (batch["margin"] if margin else 0)
    expected = (np.log1p(np.exp(-d)) + centring * (r + s) ** 2).mean()
    np.testing.assert_allclose(RewardLoss(found, centring=centring)(batch).item(), expected, rtol=1e-10)


def test_a_model_that_says_nothing_is_at_ln_2():
    np.testing.assert_allclose(RewardLoss(RewardModel(model(41)))(a_batch(42)).item(), math.log(2), rtol=1e-12)


def test_a_split_batch_adds_up_to_the_whole_and_the_gradient_is_right():
    found = a_model(43, dropout=0.2)
    assert_splits(RewardLoss(found, centring=0.1), found, a_batch(44, True))
    found = a_model(45)
    assert_gradient(RewardLoss(found, centring=0.1), found, a_batch(46, True))


def test_what_is_out_of_range_or_of_another_shape_is_refused():
    with pytest.raises(ArgumentError, match="centring"):
        RewardLoss(a_model(47), centring=-1.0)
    batch = text_batch([[5], [6]], [[7], [8, 9]])
    with pytest.raises(ShapeError, match="lengths"):
        a_model(47).scores({**batch, "lengths": batch["lengths"][:1]})
    for prompts, answers in (([], []), ([[1]], [[]]), ([[1], [2]], [[3]])):
        with pytest.raises(ArgumentError, match="at least one"):
            text_batch(prompts, answers)
