"""From preferences to a policy that writes what was preferred: a toy task whose true reward is known, seeded, in seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy import PAD, PROMPTS, reward, writer

from tinygrad_llm.align import (
    PREFERENCES,
    PreferenceLoss,
    Reference,
    RewardLoss,
    RewardModel,
    preference_batch,
    reward_batch,
    unpaired_batch,
    with_reference,
)
from tinygrad_llm.finetune import LoraConfig, get_peft_model
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import fit


def pairs_of(policy, rng, rows):
    """Answers that the policy wrote, preferred by how often the wanted token stands in them."""
    prompts = [prompt for prompt in PROMPTS for _ in range(rows)]
    one, other = (generate(policy, prompts, 4, Sampler(), rng).tokens for _ in range(2))
    found = [
        (p, a, b) if x > y else (p, b, a)
        for p, a, b, x, y in zip(prompts, one, other, reward(one), reward(other))
        if x != y
    ]
    return [list(column) for column in zip(*found)]


def true_reward(policy, seed):
    return reward(generate(policy, PROMPTS * 32, 4, Sampler(), np.random.default_rng(seed)).tokens).mean()


@pytest.mark.parametrize("name", ["dpo", "cdpo", "ipo", "hinge", "simpo"])
def test_a_policy_that_learns_from_pairs_writes_what_was_preferred(name):
    policy = writer()
    rng = np.random.default_rng(1)
    prompts, chosen, rejected = pairs_of(policy, rng, 48)
    loss = PreferenceLoss(policy, PREFERENCES[name])
    whole = with_reference(preference_batch(prompts, chosen, rejected, PAD), Reference(policy))
    rows = [rng.permutation(len(prompts))[:32] for _ in range(60)]
    before = true_reward(policy, 2)
    fit(
        loss,
        AdamW(policy.named_parameters(), lr=3e-3),
        [{n: a[r] for n, a in whole.items()} for r in rows],
        divisor=loss.divisor,
    )
    assert before < 0.25 and true_reward(policy, 2) > 0.6
    assert (loss.rewards(whole, "chosen_") > loss.rewards(whole, "rejected_")).mean() > 0.9


def test_a_policy_that_learns_from_single_answers_writes_what_was_wanted():
    """At best every answer has the wanted token once, which is all that is called good."""
    policy, rng, prompts = writer(), np.random.default_rng(1), PROMPTS * 32
    answers = generate(policy, prompts, 4, Sampler(), rng).tokens
    loss = PreferenceLoss(policy, replace(PREFERENCES["kto"], beta=0.3))
    whole = with_reference(unpaired_batch(prompts, answers, reward(answers) > 0, PAD), Reference(policy))
    rows = [rng.permutation(len(prompts))[:48] for _ in range(60)]
    before = true_reward(policy, 2)
    batches = map(loss.with_point, ({n: a[r] for n, a in whole.items()} for r in rows))
    fit(loss, AdamW(policy.named_parameters(), lr=3e-3), batches, divisor=loss.divisor)
    assert before < 0.15 and true_reward(policy, 2) > 0.4


def test_adapters_learn_preferences_and_the_base_they_are_held_against_stays():
    base, rng = writer(), np.random.default_rng(1)
    base.token_embedding.weight.assign(base.token_embedding.weight.numpy() * 10)
    frozen = {name: p.numpy().copy() for name, p in base.named_parameters()}
    policy = get_peft_model(base, LoraConfig("**", r=4), rng=rng)
    prompts, chosen, rejected = pairs_of(policy, rng, 48)
    loss, reference = PreferenceLoss(policy, PREFERENCES["dpo"]), Reference(policy)
    whole = with_reference(preference_batch(prompts, chosen, rejected, PAD), reference)
    rows = [rng.permutation(len(prompts))[:48] for _ in range(60)]
    before = true_reward(policy, 2)
    batches = [{n: a[r] for n, a in whole.items()} for r in rows]
    fit(loss, AdamW(policy.named_parameters(), lr=1e-2), batches, divisor=loss.divisor)
    assert before < 0.15 and true_reward(policy, 2) > 0.5
    assert all(np.array_equal(p.numpy(), frozen[name]) for name, p in base.named_parameters())
    again = with_reference(preference_batch(prompts, chosen, rejected, PAD), reference)
    np.testing.assert_allclose(again["chosen_reference"], whole["chosen_reference"], rtol=1e-6)


@pytest.mark.parametrize("adapted", [False, True])
def test_a_reward_model_learns_to_order_answers_it_has_not_seen(adapted):
    rng = np.random.default_rng(1)
    decoder = writer(2)
    if adapted:
        decoder = get_peft_model(decoder, LoraConfig("**", r=4), rng=rng)
    found = RewardModel(decoder)
    frozen = {name: p.numpy().copy() for name, p in found.named_parameters() if not p.requires_grad}
    prompts = PROMPTS * 60
    one, other = (generate(writer(3), prompts, 4, Sampler(), rng).tokens for _ in range(2))
    x, y = reward(one), reward(other)
    pairs = [(p, a, b) if i > j else (p, b, a) for p, a, b, i, j in zip(prompts, one, other, x, y) if i != j]
    seen, unseen = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    batch = reward_batch(*map(list, zip(*seen)))
    loss = RewardLoss(found)
    fit(loss, AdamW(found.named_parameters(), lr=1e-2), [batch] * 60, divisor=loss.divisor)
    prompts, chosen, rejected = map(list, zip(*unseen))
    assert (found.rewards(prompts, chosen) > found.rewards(prompts, rejected)).mean() > 0.9
    assert bool(frozen) is adapted
    assert all(np.array_equal(p.numpy(), frozen[name]) for name, p in found.named_parameters() if name in frozen)
