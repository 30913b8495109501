"""PPO's and GRPO's loss of a token, estimates of a divergence, group advantages: by their formulas, and by what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from splits import assert_gradient, assert_splits
from toy import PAD, model, texts

from tinygrad_llm import ops
from tinygrad_llm.align import (
    GRPOConfig,
    GRPOLoss,
    Reference,
    answer_batch,
    answer_mask,
    clipped_surrogate,
    group_advantages,
    kl_estimate,
)
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, ConfigError, ShapeError


def surrogate(ratio, advantage, low=0.2, high=0.3):
    """The loss of one token, and its derivative by ln p."""
    log_prob = Tensor(np.array([[np.log(ratio) - 1.7]]), requires_grad=True)
    loss = clipped_surrogate(log_prob, np.array([[-1.7]]), np.array([[advantage]]), low, high)
    loss.sum().backward()
    return loss.item(), log_prob.grad.item()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "derivative"),
    [
        (1.0, 2.0, -2.0, -2.0), (1.0, -2.0, 2.0, 2.0),  # as it was written: that of -A ln p
        (1.25, 2.0, -2.5, -2.5), (0.9, -2.0, 1.8, 1.8),  # within the bounds: r A
        (1.5, 2.0, -2.6, 0.0), (0.5, -2.0, 1.6, 0.0),  # gone as far as it may, where A wants it
        (1.5, -2.0, 3.0, 3.0), (0.5, 2.0, -1.0, -1.0),  # gone where A does not want it: the way back is open
    ],
)  # fmt: skip
def test_the_ratio_is_clipped_where_the_advantage_wants_it_and_only_there(ratio, advantage, loss, derivative):
    found = surrogate(ratio, advantage)
    np.testing.assert_allclose(found[0], loss, rtol=1e-12)
    np.testing.assert_allclose(found[1], derivative, rtol=1e-12, atol=1e-12)


def test_a_mean_of_k1_or_k3_is_the_kl_and_k2s_gradient_is_the_kls():
    rng = np.random.default_rng(0)
    log_p, log_q = (np.log(rng.dirichlet(np.ones(5))) for _ in range(2))
    p = np.exp(log_p)
    kl = (p * (log_p - log_q)).sum()
    found = {kind: np.asarray(kl_estimate(Tensor(log_p), Tensor(log_q), kind).numpy()) for kind in ("k1", "k2", "k3")}
    np.testing.assert_allclose([(p * found["k1"]).sum(), (p * found["k3"]).sum()], [kl, kl], rtol=1e-12)
    assert (found["k2"] >= 0).all() and (found["k3"] >= 0).all() and (found["k1"] < 0).any()
    logits = Tensor(log_p, requires_grad=True)
    log_softmax = ops.log_softmax(logits)
    (kl_estimate(log_softmax, Tensor(log_q), "k2") * Tensor(p)).sum().backward()
    by_k2, logits.grad = logits.grad.copy(), None
    log_softmax = ops.log_softmax(logits)
    (ops.exp(log_softmax) * (log_softmax - log_q)).sum().backward()
    np.testing.assert_allclose(by_k2, logits.grad, rtol=1e-10, atol=1e-12)
    assert all(np.isclose(values, 0).all() for values in (kl_estimate(Tensor(log_p), log_p, k).numpy() for k in found))


REWARDS = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0])


def test_advantages_are_relative_to_the_group():
    found = group_advantages(REWARDS, 4)
    s = np.std([1, 0, 0, 0], ddof=1) + 1e-4
    np.testing.assert_allclose(
        found,
        [*(np.array([0.75, -0.25, -0.25, -0.25]) / s), *(np.array([0.25, 0.25, -0.75, 0.25]) / s), 0, 0, 0, 0],
        rtol=1e-12,
    )
    none = group_advantages(REWARDS, 4, "none")
    np.testing.assert_allclose(none, [0.75, -0.25, -0.25, -0.25, 0.25, 0.25, -0.75, 0.25, 0, 0, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(group_advantages(REWARDS, 4, "batch"), none / (REWARDS.std(ddof=1) + 1e-4), rtol=1e-12)


def test_advantages_of_a_group_sum_to_0_and_a_level_added_to_its_rewards_changes_nothing():
    rewards = np.random.default_rng(1).normal(size=12)
    for scale in ("group", "none"):
        found = group_advantages(rewards, 3, scale)
        np.testing.assert_allclose(found.reshape(-1, 3).sum(1), 0, atol=1e-12)
        np.testing.assert_allclose(
            group_advantages(rewards + np.repeat([5.0, -2, 0, 9], 3), 3, scale), found, atol=1e-10
        )


def test_without_the_deviation_a_prompt_that_is_nearly_always_solved_counts_less():
    """Dr. GRPO's correction: divided by s, one failure among sixteen teaches as much as eight among sixteen."""
    nearly, half = np.r_[np.ones(15), 0], np.r_[np.ones(8), np.zeros(8)]
    size = lambda scale: [np.abs(a).sum() for a in group_advantages(np.r_[nearly, half], 16, scale).reshape(2, 16)]
    assert size("none")[0] < 0.25 * size("none")[1] and size("group")[0] > 0.45 * size("group")[1]


@pytest.mark.parametrize(
    ("rewards", "group", "scale", "error"),
    [
        ([1.0, 2.0, 3.0], 2, "group", ShapeError), ([], 2, "group", ShapeError), ([[1.0, 2.0]], 2, "group", ShapeError),
        ([1.0, 2.0], 1, "group", ArgumentError), ([1.0, 2.0], 2, "std", ArgumentError),
        ([1.0, np.nan], 2, "group", ArgumentError), ([1.0, np.inf], 2, "none", ArgumentError),
    ],
)  # fmt: skip
def test_rewards_that_are_no_groups_are_refused(rewards, group, scale, error):
    with pytest.raises(error):
        group_advantages(rewards, group, scale)


def a_batch(seed, by_token=False):
    prompts, answers, _ = texts(seed, 6, longest=5)
    batch = answer_batch(prompts, answers, PAD)
    mask, rng = answer_mask(batch), np.random.default_rng(seed)
    batch["old_log_probs"] = np.where(
        mask, model(21).token_log_probs(batch).numpy() + rng.normal(0, 0.4, mask.shape), 0
    )
    batch["advantages"] = rng.normal(size=mask.shape if by_token else len(mask))
    batch["reference_log_probs"] = Reference(model(22)).token_log_probs(batch)
    return batch


CONFIGS = {
    "sequence": GRPOConfig(kl_coef=0.1),
    "token": GRPOConfig(0.1, 0.3, 0.05, "k2", "token"),
    "constant": GRPOConfig(kl_coef=0.2, kl="k1", normalisation="constant", length=7),
}


@pytest.mark.parametrize("by_token", [False, True])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_loss_is_its_formula_token_by_token(name, by_token):
    config, policy, batch = CONFIGS[name], model(21), a_batch(23, by_token)
    log_probs, mask = policy.token_log_probs(batch).numpy(), answer_mask(batch)
    total = 0.0
    for row in range(len(mask)):
        places = np.flatnonzero(mask[row])
        of_row = 0.0
        for t in places:
            a = batch["advantages"][row, t] if by_token else batch["advantages"][row]
            r = np.exp(log_probs[row, t] - batch["old_log_probs"][row, t])
            d = log_probs[row, t] - batch["reference_log_probs"][row, t]
            kl = {"k1": d, "k2": d * d / 2, "k3": np.exp(-d) - 1 + d}[config.kl]
            of_row += -min(r * a, np.clip(r, 1 - config.clip_low, 1 + config.clip_high) * a) + config.kl_coef * kl
        total += of_row / {"sequence": len(places) * len(mask), "token": mask.sum(), "constant": len(mask) * 7}[name]
    np.testing.assert_allclose(GRPOLoss(policy, config)(batch).item(), total, rtol=1e-10)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_split_batch_adds_up_to_the_whole(name):
    policy = model(24, dropout=0.3)
    assert_splits(GRPOLoss(policy, CONFIGS[name]), policy, a_batch(25))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_gradient_is_that_of_differences(name):
    policy = model(26)
    assert_gradient(GRPOLoss(policy, CONFIGS[name]), policy, a_batch(27))


def test_by_sequence_a_long_answers_tokens_count_less_and_by_a_constant_they_do_not():
    """Liu et al. 2025: with the same advantage, the gradient at a token of a long answer is smaller by its length."""
    policy = model(28)
    batch = answer_batch([[5], [5]], [[6], [6, 7, 8, 9]], PAD)
    batch |= {"old_log_probs": policy.token_log_probs(batch).numpy(), "advantages": np.array([-1.0, -1.0])}

    def share(config):  # of the first token, which both answers have, as the whole loss weighs it
        found = []
        for row in (0, 1):
            one = {name: array[row : row + 1] for name, array in batch.items()}
            one["advantages"] = np.where(np.arange(4) == 0, one["advantages"][:, None], 0)
            found.append(GRPOLoss(policy, config)(one, divisor=1.0).item())
        return found[1] / found[0]

    np.testing.assert_allclose(share(GRPOConfig()), 0.25, rtol=1e-12)
    np.testing.assert_allclose(share(GRPOConfig(normalisation="constant", length=4)), 1, rtol=1e-12)
    np.testing.assert_allclose(share(GRPOConfig(normalisation="token")), 1, rtol=1e-12)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_answer_that_is_left_out_counts_for_nothing(name):
    """As one that was cut off may be: none of its tokens is a target."""
    policy, batch = model(31), a_batch(32)
    without = {key: np.delete(array, 2, 0) for key, array in batch.items()}
    batch["targets"][2] = -100
    loss = GRPOLoss(policy, CONFIGS[name])
    np.testing.assert_allclose(loss(batch, divisor=1.0).item(), loss(without, divisor=1.0).item(), rtol=1e-10)


@pytest.mark.parametrize(
    "fields",
    [
        {"clip_low": 0.0}, {"clip_high": -1.0}, {"clip_high": np.inf}, {"kl_coef": -0.1}, {"kl_coef": np.nan}, {"kl": "k4"},
        {"normalisation": "mean"}, {"normalisation": "constant"}, {"normalisation": "constant", "length": 0},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(fields):
    with pytest.raises(ArgumentError):
        GRPOConfig(**fields)


def test_a_batch_without_what_is_needed_or_of_another_shape_is_refused():
    policy, batch = model(29), a_batch(30)
    loss = GRPOLoss(policy, GRPOConfig(kl_coef=0.1))
    for name in ("advantages", "old_log_probs", "reference_log_probs"):
        with pytest.raises(ArgumentError, match=name):
            loss({key: array for key, array in batch.items() if key != name})
    for name, kept in (("old_log_probs", "old"), ("reference_log_probs", "reference")):
        with pytest.raises(ShapeError, match=kept):
            loss({**batch, name: batch[name][:, :-1]})
    with pytest.raises(ShapeError, match="advantages"):
        loss({**batch, "advantages": np.ones((6, 2))})
    with pytest.raises(ShapeError, match="advantages"):
        loss({**batch, "advantages": np.ones(5)})
    nothing = {**batch, "targets": np.full_like(batch["targets"], -100)}
    with pytest.raises(ConfigError):
        GRPOLoss(policy, GRPOConfig(normalisation="token"))(nothing)
