"""PPO by its formulas: clipped values, one divisor for both parts, states shared or not, and a price of KL that finds itself."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from cached_models import redrawn
from splits import assert_gradient, assert_splits
from toy import PAD, model, texts

from tinygrad_llm.align import (
    ActorCritic,
    AdaptiveKL,
    PPOConfig,
    PPOLoss,
    ScalarModel,
    answer_batch,
    answer_mask,
    value_losses,
)
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, ShapeError


def a_learner(seed, shared=False, **changes):
    policy = model(seed, **changes)
    value = redrawn(ScalarModel(policy if shared else model(seed + 1, **changes)), seed + 2)
    return ActorCritic(policy, value)


def a_batch(seed, learner):
    prompts, answers, _ = texts(seed, 5, longest=5)
    batch = answer_batch(prompts, answers, PAD)
    rng, mask = np.random.default_rng(seed), answer_mask(batch)
    moved = lambda found, size: np.where(mask, found + rng.normal(0, size, mask.shape), 0)
    log_probs, values = learner(batch)
    batch |= {"old_log_probs": moved(log_probs.numpy(), 0.3), "old_values": moved(values.numpy(), 0.3)}
    return batch | {"advantages": moved(0, 1), "returns": moved(values.numpy(), 0.5)}


@pytest.mark.parametrize("shared", [False, True])
def test_the_loss_is_its_formula_token_by_token(shared):
    learner, config = a_learner(61, shared), PPOConfig(0.15, 0.25, 0.4)
    batch = a_batch(62, learner)
    log_probs, values = (x.numpy() for x in learner(batch))
    total, mask = 0.0, answer_mask(batch)
    for place in zip(*np.nonzero(mask)):
        r, a = np.exp(log_probs[place] - batch["old_log_probs"][place]), batch["advantages"][place]
        v, old, goal = values[place], batch["old_values"][place], batch["returns"][place]
        near = old + np.clip(v - old, -0.25, 0.25)
        total += -min(r * a, np.clip(r, 0.85, 1.15) * a) + 0.4 * 0.5 * max((v - goal) ** 2, (near - goal) ** 2)
    np.testing.assert_allclose(PPOLoss(learner, config)(batch).item(), total / mask.sum(), rtol=1e-10)


@pytest.mark.parametrize("shared", [False, True])
def test_what_the_learner_says_is_what_policy_and_value_say(shared):
    learner = a_learner(63, shared)
    batch = a_batch(64, learner)
    log_probs, values = learner(batch)
    np.testing.assert_allclose(log_probs.numpy(), learner.policy.token_log_probs(batch).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(values.numpy(), learner.value(batch).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(learner.values(batch), values.numpy(), rtol=1e-12)
    own = len(learner.policy.parameters())
    assert len(learner.parameters()) == (own + 1 if shared else 2 * own + 1)


def value_loss(value, old, goal, bound=0.2):
    """The loss of one value, and its derivative."""
    v = Tensor(np.array([[value]]), requires_grad=True)
    loss = value_losses(v, {"returns": np.array([[goal]]), "old_values": np.array([[old]])}, bound)
    loss.sum().backward()
    return loss.item(), v.grad.item()


@pytest.mark.parametrize(
    ("value", "old", "goal", "loss", "derivative"),
    [
        (1.1, 1.0, 2.0, 0.405, -0.9),  # near what it was: half the square
        (1.5, 1.0, 2.0, 0.32, 0.0),  # gone further to the goal than it may
        (0.5, 1.0, 2.0, 1.125, -1.5),  # gone away from it: the way back is open
        (3.5, 1.0, 2.0, 1.125, 1.5),  # gone past it, and further off than the bound is
    ],
)
def test_a_value_goes_no_further_than_it_may_in_one_batch(value, old, goal, loss, derivative):
    found = value_loss(value, old, goal)
    np.testing.assert_allclose(found[0], loss, rtol=1e-12)
    np.testing.assert_allclose(found[1], derivative, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shared", [False, True])
def test_a_split_batch_adds_up_to_the_whole_and_the_gradient_is_right(shared):
    learner = a_learner(65, shared, dropout=0.2)
    assert_splits(PPOLoss(learner), learner, a_batch(66, learner))
    learner = a_learner(67, shared)
    assert_gradient(PPOLoss(learner), learner, a_batch(68, learner))


def test_a_value_model_of_its_own_leaves_the_policy_alone():
    learner = a_learner(69)
    batch = a_batch(70, learner)
    PPOLoss(learner, PPOConfig(value_coef=0.0))(batch).backward()
    expected = {name: p.grad.copy() for name, p in learner.policy.named_parameters()}
    for p in learner.parameters():
        p.grad = None
    PPOLoss(learner, PPOConfig(value_coef=3.0))(batch).backward()
    for name, p in learner.policy.named_parameters():
        np.testing.assert_allclose(p.grad, expected[name], rtol=1e-10, atol=1e-12)
    assert np.abs(learner.value.score.grad).max() > 0


def test_in_another_precision_the_loss_is_nearly_the_same():
    policy = copy.deepcopy(model(71, dtype=np.float32))
    learner = ActorCritic(policy, ScalarModel(model(72, dtype=np.float32), rng=np.random.default_rng(0)))
    batch = a_batch(73, learner)  # of float64, which comes to a model of float32
    assert PPOLoss(learner)(batch).dtype == np.float32


@pytest.mark.parametrize("fields", [{"clip": 0.0}, {"value_clip": -1.0}, {"value_clip": np.nan}, {"value_coef": -0.1}])
def test_what_is_out_of_range_is_refused(fields):
    with pytest.raises(ArgumentError, match=next(iter(fields))):
        PPOConfig(**fields)


def test_a_batch_without_what_is_needed_or_of_another_shape_is_refused():
    learner = a_learner(74)
    batch, loss = a_batch(75, learner), PPOLoss(learner)
    for name in ("advantages", "old_log_probs", "returns", "old_values"):
        with pytest.raises(ArgumentError, match=name):
            loss({key: array for key, array in batch.items() if key != name})
    for name in ("returns", "old_values"):
        with pytest.raises(ShapeError, match=name):
            loss({**batch, name: batch[name][:, :1]})


def test_the_price_rises_while_the_kl_is_above_its_target_and_falls_below_it():
    price = AdaptiveKL(0.1, target=2.0)
    np.testing.assert_allclose(price.update(2.2), 0.1 * 1.01, rtol=1e-12)
    np.testing.assert_allclose(price.update(200.0), 0.1 * 1.01 * 1.02, rtol=1e-12)  # no more than a fifth at a time
    np.testing.assert_allclose(price.update(0.0), 0.1 * 1.01 * 1.02 * 0.98, rtol=1e-12)
    np.testing.assert_allclose(price.update(2.0), price.value, rtol=1e-12)
    for wrong in ((0.0, 2.0, 0.1), (0.1, 0.0, 0.1), (0.1, 2.0, np.nan)):
        with pytest.raises(ArgumentError):
            AdaptiveKL(*wrong)
