"""What a policy wrote is what it says it wrote: tokens, stops, and their log-probabilities, under the policy that wrote."""

from __future__ import annotations

import numpy as np
import pytest
from decoder_families import decoder
from toy import PAD, STOP, model

from tinygrad_llm.align import GRPOConfig, GRPOLoss, Reference, answer_batch, answer_mask, rollout
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune import LoraConfig, get_peft_model
from tinygrad_llm.generate import Sampler, generate

PROMPTS = [[5, 6, 2], [7], [3, 4]]


@pytest.mark.parametrize("family", ["gpt", "llama", "mistral"])
def test_log_probabilities_are_those_of_the_full_forward_pass(family):
    policy = decoder(family, 51, block_size=16)
    reference = Reference(decoder(family, 52, block_size=16))
    found = rollout(
        policy,
        PROMPTS,
        6,
        Sampler(),
        np.random.default_rng(0),
        pad=PAD,
        group_size=3,
        stop_ids=[STOP],
        reference=reference,
    )
    assert found.prompts == [p for p in PROMPTS for _ in range(3)]
    again = generate(policy, found.prompts, 6, Sampler(), np.random.default_rng(0), stop_ids=[STOP])
    assert found.answers == again.tokens and found.stopped.tolist() == again.stopped
    assert [answer[-1] == STOP for answer in found.answers] == found.stopped.tolist()
    assert not found.stopped.all()
    for name, array in answer_batch(found.prompts, found.answers, PAD).items():
        np.testing.assert_array_equal(found.batch[name], array)
    for name, who in (("old_log_probs", policy), ("reference_log_probs", reference.model)):
        np.testing.assert_allclose(found.batch[name], who.token_log_probs(found.batch).numpy(), rtol=1e-9, atol=1e-9)
        assert not found.batch[name][~answer_mask(found.batch)].any()


def test_some_answers_end_by_themselves():
    found = rollout(
        model(53), PROMPTS, 6, Sampler(), np.random.default_rng(1), pad=PAD, group_size=16, stop_ids=range(1, 4)
    )
    assert found.stopped.any() and {len(answer) for answer in found.answers} >= {1, 2, 3}
    assert all(len(answer) == 6 for answer, stopped in zip(found.answers, found.stopped) if not stopped)


def test_right_after_it_was_written_the_policys_ratio_is_1():
    """So GRPO's loss is minus the mean advantage, and its gradient that of the policy gradient."""
    policy = model(54)
    found = rollout(
        policy, PROMPTS, 5, Sampler(), np.random.default_rng(2), pad=PAD, group_size=2, reference=Reference(policy)
    )
    advantages = np.random.default_rng(3).normal(size=6)
    loss = GRPOLoss(policy, GRPOConfig(kl_coef=0.5))({**found.batch, "advantages": advantages})
    np.testing.assert_allclose(loss.item(), -advantages.mean(), rtol=1e-8, atol=1e-9)
    loss.backward()
    by_ratio, policy.norm.weight.grad = policy.norm.weight.grad.copy(), None
    weights = answer_mask(found.batch) * (advantages / 5 / 6)[:, None]
    (policy.token_log_probs(found.batch) * -weights).sum().backward()
    np.testing.assert_allclose(by_ratio, policy.norm.weight.grad, rtol=1e-6, atol=1e-9)


def test_adapters_write_and_their_base_is_the_reference():
    base = model(55)
    policy = get_peft_model(base, LoraConfig("**", r=2), rng=np.random.default_rng(0))
    for layer in policy.adapted().values():
        for adapter in layer.adapters.values():
            adapter.lora_B.assign(np.full(adapter.lora_B.shape, 0.5))
    found = rollout(policy, PROMPTS, 4, Sampler(), np.random.default_rng(4), pad=PAD, reference=Reference(policy))
    np.testing.assert_allclose(
        found.batch["old_log_probs"], policy.token_log_probs(found.batch).numpy(), rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        found.batch["reference_log_probs"], base.token_log_probs(found.batch).numpy(), rtol=1e-9, atol=1e-9
    )
    assert np.abs(found.batch["old_log_probs"] - found.batch["reference_log_probs"]).max() > 1e-2


def test_a_text_that_would_be_cropped_is_refused_and_one_that_just_fits_is_not():
    policy = model(56)
    found = rollout(policy, [[5] * 7], 10, Sampler(), np.random.default_rng(5), pad=PAD)
    assert found.batch["tokens"].shape == (1, 16)
    with pytest.raises(ArgumentError, match="at most block_size = 16, got 17"):
        rollout(policy, [[5] * 7], 11, Sampler(), np.random.default_rng(5), pad=PAD)
    for options in ({"count": 0}, {"group_size": 0}):
        with pytest.raises(ArgumentError):
            rollout(policy, [[5]], **{"count": 2, **options}, sampler=Sampler(), rng=np.random.default_rng(5), pad=PAD)
