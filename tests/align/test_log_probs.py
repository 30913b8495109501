"""How probable an answer is: against the product of single steps, whatever stands around it, and with a reference that stays."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import redrawn
from decoder_families import FAMILIES, VOCABULARY, decoder
from toy import PAD, model, on_the_left, texts

from tinygrad_llm.align import Reference, answer_batch, answer_lengths, answer_log_probs, answer_mask, example
from tinygrad_llm.autograd import no_grad
from tinygrad_llm.errors import ArgumentError, GradientError
from tinygrad_llm.finetune import LoraConfig, get_peft_model
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.optim import AdamW

TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def by_single_steps(found, prompt, answer):
    """ln p of each token of the answer, one prefix at a time, without padding."""
    out, ids = [], list(prompt)
    with no_grad():
        for token in answer:
            logits = found.next_logits(np.array([ids])).numpy()[0].astype(np.float64)
            shifted = logits - logits.max()
            out.append(shifted[token] - np.log(np.exp(shifted).sum()))
            ids.append(token)
    return np.array(out)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answers_log_probability_is_the_sum_over_its_tokens_one_prefix_at_a_time(family):
    prompts, answers, _ = texts(1, 5)
    found = decoder(family, 3)
    batch = answer_batch(prompts, answers, PAD)
    steps = [by_single_steps(found, prompt, answer) for prompt, answer in zip(prompts, answers)]
    np.testing.assert_allclose(answer_log_probs(found, batch).numpy(), [s.sum() for s in steps], **TIGHT)
    means = answer_log_probs(found, batch, per_token=True).numpy()
    np.testing.assert_allclose(means, [s.mean() for s in steps], **TIGHT)
    places = found.token_log_probs(batch).numpy()
    for row, (prompt, answer) in enumerate(zip(prompts, answers)):
        start = len(prompt) - 1  # the last token of the prompt is where the first of the answer is predicted
        np.testing.assert_allclose(places[row, start : start + len(answer)], steps[row], **TIGHT)
        assert not np.delete(places[row], np.arange(start, start + len(answer))).any()


@pytest.mark.parametrize("family", ["gpt", "llama", "mistral", "qwen3"])
@pytest.mark.parametrize("extra", [0, 2])
def test_padding_on_either_side_and_any_pad_id_changes_nothing(family, extra):
    prompts, answers, _ = texts(2, 6)
    found = decoder(family, 4)
    batch = answer_batch(prompts, answers, PAD)
    expected = answer_log_probs(found, batch).numpy()
    np.testing.assert_allclose(answer_log_probs(found, on_the_left(batch, extra)).numpy(), expected, **TIGHT)
    np.testing.assert_allclose(answer_log_probs(found, answer_batch(prompts, answers, 5)).numpy(), expected, **TIGHT)
    wide = {
        name: np.pad(array, ((0, 0), (0, extra)), constant_values=IGNORE if name == "targets" else 7)
        for name, array in batch.items()
    }
    np.testing.assert_allclose(answer_log_probs(found, wide).numpy(), expected, **TIGHT)


def test_mask_and_lengths_tell_the_answers_tokens():
    batch = answer_batch([[5, 6], [7]], [[8], [9, 10, 2]], PAD)
    assert batch["tokens"].tolist() == [[5, 6, PAD], [7, 9, 10]]
    assert batch["targets"].tolist() == [[IGNORE, 8, IGNORE], [9, 10, 2]]
    assert answer_mask(batch).tolist() == [[False, True, False], [True, True, True]]
    assert answer_lengths(batch).tolist() == [1, 3]
    ids, learned = example([5, 6], [8])
    assert ids.tolist() == [5, 6, 8] and learned.tolist() == [False, False, True]


@pytest.mark.parametrize(("prompts", "answers"), [([[]], [[1]]), ([[1]], [[]]), ([], []), ([[1], [2]], [[3]])])
def test_rows_without_a_prompt_or_an_answer_are_refused(prompts, answers):
    with pytest.raises(ArgumentError, match="at least one"):
        answer_batch(prompts, answers, PAD)


def trained_on(found, batch, steps=3):
    optimizer = AdamW(found.named_parameters(), lr=0.1)
    for _ in range(steps):
        found.loss(batch).backward()
        optimizer.step()
        optimizer.zero_grad()


def test_a_reference_stays_as_the_model_was_whatever_is_learned():
    prompts, answers, _ = texts(3, 4)
    batch = answer_batch(prompts, answers, PAD)
    for policy in (
        model(5),
        get_peft_model(model(5), LoraConfig("**", r=2), rng=np.random.default_rng(0)),
    ):
        before = policy.token_log_probs(batch).numpy().copy()
        reference = Reference(policy)
        np.testing.assert_array_equal(reference.token_log_probs(batch), before)
        trained_on(policy, batch)
        assert np.abs(policy.token_log_probs(batch).numpy() - before).max() > 1e-3
        np.testing.assert_allclose(reference.token_log_probs(batch), before, rtol=1e-12)
        np.testing.assert_allclose(reference.answer_log_probs(batch), before.sum(1), rtol=1e-12)


def test_a_reference_leaves_the_policy_alone_and_has_no_gradient():
    batch = answer_batch([[5]], [[6]], PAD)
    policy = model(6)
    reference = Reference(policy)
    assert all(p.requires_grad for p in policy.parameters())
    assert isinstance(reference.token_log_probs(batch), np.ndarray)
    with pytest.raises(GradientError):
        reference.model.token_log_probs(batch).sum().backward()


def test_a_reference_of_a_model_with_adapters_is_its_base_and_no_copy():
    base = redrawn(model(7), 7)
    policy = get_peft_model(base, LoraConfig("q_proj", r=2), rng=np.random.default_rng(0))
    for layer in policy.adapted().values():
        for adapter in layer.adapters.values():
            adapter.lora_B.assign(np.ones(adapter.lora_B.shape))
    batch = answer_batch([[5, 3]], [[6, 2]], PAD)
    found = Reference(policy)
    np.testing.assert_allclose(found.token_log_probs(batch), base.token_log_probs(batch).numpy(), rtol=1e-12)
    assert np.abs(policy.token_log_probs(batch).numpy() - found.token_log_probs(batch)).max() > 1e-3
    assert found.model is policy and VOCABULARY == policy.vocab_size
