"""From rewards to a policy that earns them: GRPO, PPO, and learning from the best of n, on a task whose optimum is known."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from toy import PAD, PROMPTS, WANTED, reward, writer

from tinygrad_llm.align import (
    ActorCritic,
    AdaptiveKL,
    GRPOConfig,
    GRPOLoss,
    PPOLoss,
    Reference,
    RewardLoss,
    RewardModel,
    ScalarModel,
    answer_batch,
    answer_kl,
    answer_mask,
    best_and_worst,
    best_of_n,
    chosen_batch,
    group_advantages,
    ppo_batch,
    reward_batch,
    rollout,
)
from tinygrad_llm.generate import Sampler
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import fit

COUNT = 4


def write(policy, rng, group_size=16, reference=None):
    return rollout(policy, PROMPTS, COUNT, Sampler(), rng, pad=PAD, group_size=group_size, reference=reference)


def true_reward(policy):
    return reward(write(policy, np.random.default_rng(2), 64).answers).mean()


def by_grpo(policy, config, scale="group", rounds=25, seed=1):
    reference, rng = Reference(policy), np.random.default_rng(seed)
    loss, optimizer = GRPOLoss(policy, config), AdamW(policy.named_parameters(), lr=5e-3)
    for _ in range(rounds):
        written = write(policy, rng, reference=reference)
        batch = {**written.batch, "advantages": group_advantages(reward(written.answers), 16, scale)}
        fit(loss, optimizer, [batch] * 2, divisor=loss.divisor)
    return answer_kl(write(policy, rng, 64, reference).batch)


def by_ppo(policy, rewards=reward, kl_coef=0.0, price=None, shared=False, rounds=25, seed=1):
    reference, rng = Reference(policy), np.random.default_rng(seed)
    learner = ActorCritic(policy, ScalarModel(policy if shared else copy.deepcopy(policy)))
    loss, optimizer = PPOLoss(learner), AdamW(learner.named_parameters(), lr=5e-3)
    for _ in range(rounds):
        written = write(policy, rng, reference=reference)
        coefficient = price.value if price else kl_coef
        batch = ppo_batch(written.batch, rewards(written.answers), learner.values(written.batch), kl_coef=coefficient)
        fit(loss, optimizer, [batch] * 3, divisor=loss.divisor)
        if price:
            price.update(answer_kl(written.batch))
    return answer_kl(write(policy, rng, 64, reference).batch)


@pytest.mark.parametrize(
    "config",
    [GRPOConfig(), GRPOConfig(normalisation="token"), GRPOConfig(normalisation="constant", length=COUNT)],
    ids=lambda config: config.normalisation,
)
def test_grpo_raises_the_reward(config):
    policy = writer()
    assert true_reward(policy) < 0.2
    by_grpo(policy, config)
    assert true_reward(policy) > 0.8


@pytest.mark.parametrize("shared", [False, True])
def test_ppo_raises_the_reward(shared):
    policy = writer()
    by_ppo(policy, shared=shared)
    assert true_reward(policy) > 0.8


def optimum(policy, beta):
    """Where reward less beta KL is largest: p e^(r / beta) / Z, which with a reward for each token has a closed form.

    -> the share of the wanted token, and the KL of an answer
    """
    batch = answer_batch(PROMPTS, [[WANTED] * COUNT] * len(PROMPTS), PAD)
    p = np.exp(policy.token_log_probs(batch).numpy()[answer_mask(batch)]).mean()
    tilted = p * math.exp(1 / COUNT / beta)
    share = tilted / (tilted + 1 - p)
    return share, COUNT * (share * math.log(share / p) + (1 - share) * math.log((1 - share) / (1 - p)))


@pytest.mark.parametrize("beta", [0.1, 0.25])
@pytest.mark.parametrize("method", ["ppo", "grpo"])
def test_the_price_of_kl_stops_the_policy_where_the_optimum_is(method, beta):
    policy = writer()
    share, kl = optimum(policy, beta)
    if method == "ppo":
        found = by_ppo(policy, kl_coef=beta, rounds=50)
    else:
        found = by_grpo(policy, GRPOConfig(kl_coef=beta), "none", rounds=50)
    assert abs(true_reward(policy) - share) < 0.1  # of 0.68 and 0.32
    assert 0.6 * kl < found < 1.7 * kl  # of 2.9 and 0.4 nats


class Watched(AdaptiveKL):
    """Keeps what it was told."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.told = []

    def update(self, kl):
        self.told.append(kl)
        return super().update(kl)


def test_a_price_that_finds_itself_holds_the_kl_about_its_target():
    """It swings, since it looks back: the mean is what holds. 0.17 is the price whose optimum is one nat away."""
    price = Watched(0.1, target=1.0, gain=0.2)
    by_ppo(writer(), price=price, rounds=50)
    assert 0.7 < np.mean(price.told[25:]) < 1.5 and 0.12 < price.value < 0.25
    assert max(price.told[:15]) > 2  # to which 0.1, where it began, was too low
    assert abs(optimum(writer(), 0.17)[1] - 1) < 0.1


def test_learning_the_best_of_n_again_and_again_raises_the_reward():
    policy, rng = writer(), np.random.default_rng(1)
    optimizer = AdamW(policy.named_parameters(), lr=5e-3)
    for _ in range(12):
        written = write(policy, rng, 64)
        chosen = best_of_n(reward(written.answers), 8)
        fit(policy.loss, optimizer, [chosen_batch(written, chosen, PAD)] * 4)
    assert true_reward(policy) > 0.8


def test_preferences_make_a_reward_model_and_that_makes_a_policy():
    """The whole of RLHF, of which no part but the pairs has seen the true reward."""
    policy, rng = writer(), np.random.default_rng(1)
    written = write(policy, rng, 128)
    best, worst = best_and_worst(reward(written.answers), 2)
    rows = lambda texts, places: [texts[i] for i in places]
    pairs = reward_batch(rows(written.prompts, best), rows(written.answers, best), rows(written.answers, worst))
    judge = RewardModel(copy.deepcopy(policy))
    loss = RewardLoss(judge)
    fit(loss, AdamW(judge.named_parameters(), lr=1e-2), [pairs] * 40, divisor=loss.divisor)
    prompts = [prompt for prompt in PROMPTS for _ in range(16)]
    by_ppo(policy, lambda answers: judge.rewards(prompts, answers))
    assert true_reward(policy) > 0.6
