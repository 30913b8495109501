"""The reward model's loss against trl's RewardTrainer, and supervised learning of answers against its SFTTrainer."""

from __future__ import annotations

import numpy as np
import pytest
from redraw import redraw
from tolerances import WHOLE_MODEL
from trl_trainers import (
    GPT2,
    IGNORE,
    LLAMA,
    PAD,
    both,
    compare,
    config_of,
    some_texts,
    trainer,
    trl_in_double,
    with_fused_head,
    written_gradients,
)

from tinygrad_llm.align import RewardLoss, RewardModel, answer_batch, reward_batch
from tinygrad_llm.models import from_pretrained

pytestmark = [pytest.mark.oracle, IGNORE]
ROWS = 4
each_model = pytest.mark.parametrize("kind", [GPT2, LLAMA])


def padded_texts(texts):
    """Texts of ids as torch's, and where they are."""
    import torch

    longest = max(map(len, texts))
    ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in texts])
    return ids, (ids != PAD).long()


def both_rewards(kind, seed, folder):
    """transformers' classifier with one class, and our reward model with the same weights."""
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    config = config_of(kind)
    config.num_labels = 1
    theirs = AutoModelForSequenceClassification.from_config(config).double().eval()
    redraw(theirs, seed)
    whole = AutoModelForCausalLM.from_config(config_of(kind)).double()
    redraw(whole, seed + 1)
    whole.base_model.load_state_dict(theirs.base_model.state_dict())
    whole.save_pretrained(folder / "decoder")
    ours = RewardModel(from_pretrained(folder / "decoder", np.float64))
    ours.score.assign(theirs.score.weight.detach().numpy())
    return theirs, ours, type(whole)


@each_model
@pytest.mark.parametrize(("margin", "centring"), [(False, 0.0), (True, 0.0), (True, 0.03)])
def test_the_loss_of_a_reward_model_is_trls(kind, margin, centring, tmp_path):
    import torch

    texts = some_texts(1, ROWS)
    with trl_in_double() as trl:
        theirs, ours, decoder = both_rewards(kind, 2, tmp_path)
        made = trainer(trl.RewardTrainer, theirs)
        made.args = type("Args", (), {"center_rewards_coefficient": centring or None})
        ids, mask = padded_texts([p + c for p, c, _ in texts] + [p + r for p, _, r in texts])
        inputs, batch = {"input_ids": ids, "attention_mask": mask}, reward_batch(*map(list, zip(*texts)), PAD)
        if margin:
            batch["margin"] = np.random.default_rng(3).uniform(0, 2, ROWS)
            inputs["margin"] = torch.tensor(batch["margin"])
            theirs.forward = without_margin(theirs.forward)
        their_loss, our_loss = made.compute_loss(theirs, inputs), RewardLoss(ours, centring=centring)(batch)
        np.testing.assert_allclose(our_loss.item(), their_loss.item(), **WHOLE_MODEL)
        their_loss.backward()
        our_loss.backward()
        np.testing.assert_allclose(ours.score.grad, theirs.score.weight.grad.numpy(), **WHOLE_MODEL)
        mine = written_gradients(decoder, ours.decoder, tmp_path)
        for name, p in theirs.named_parameters():
            if name != "score.weight":
                np.testing.assert_allclose(mine[name], p.grad.numpy(), **WHOLE_MODEL, err_msg=name)


def without_margin(forward):
    """trl hands the margin on to the model, which its own models swallow."""
    return lambda margin=None, **inputs: forward(**inputs)


@each_model
def test_learning_answers_as_they_stand_is_trls_sft(kind, tmp_path):
    texts = some_texts(4, ROWS)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 5, tmp_path)
        made = trainer(trl.SFTTrainer, with_fused_head(theirs), compute_loss_func=None, label_smoother=None)
        made.args = type("Args", (), {"loss_type": "nll", "average_tokens_across_devices": False})
        ids, mask = padded_texts([p + a for p, a, _ in texts])
        labels = ids.clone()
        for row, (prompt, answer, _) in enumerate(texts):
            labels[row, : len(prompt)] = -100
            labels[row, len(prompt) + len(answer) :] = -100
        found = made.compute_loss(theirs, {"input_ids": ids, "attention_mask": mask, "labels": labels})
        batch = answer_batch([row[0] for row in texts], [row[1] for row in texts], PAD)
        compare(theirs, found, ours, ours.loss(batch), tmp_path)
