"""GRPO's losses against trl's GRPOTrainer: loss and every gradient, in float64; PPO's term of the policy by the same."""

from __future__ import annotations

import numpy as np
import pytest
from trl_trainers import (
    GPT2,
    IGNORE,
    LLAMA,
    PAD,
    VOCABULARY,
    both,
    compare,
    their_model,
    trainer,
    trl_in_double,
    with_fused_head,
)

from tinygrad_llm.align import (
    ActorCritic,
    GRPOConfig,
    GRPOLoss,
    PPOConfig,
    PPOLoss,
    ScalarModel,
    answer_batch,
    answer_mask,
    group_advantages,
)

pytestmark = [pytest.mark.oracle, IGNORE]
ROWS, LONGEST = 6, 8
each_model = pytest.mark.parametrize("kind", [GPT2, LLAMA])


def some_answers(kind, seed):
    """Prompts, of one length for GPT-2: trl pads them on the left and leaves GPT-2's positions as if it had not."""
    rng = np.random.default_rng([seed, 6])
    sizes = [4] * ROWS if kind == GPT2 else rng.integers(1, 7, ROWS)
    prompts = [rng.integers(1, VOCABULARY, n).tolist() for n in sizes]
    return prompts, [rng.integers(1, VOCABULARY, n).tolist() for n in rng.integers(1, LONGEST + 1, ROWS)]


def their_inputs(prompts, answers, **by_token):
    """Padding before the prompts and behind the answers, and numbers of tokens where the tokens are."""
    import torch

    longest, widest = max(map(len, prompts)), max(map(len, answers))
    left = lambda rows, fill: torch.tensor([[fill] * (longest - len(row)) + list(row) for row in rows])
    right = lambda rows, fill: torch.tensor([list(row) + [fill] * (widest - len(row)) for row in rows])
    return {
        "prompt_ids": left(prompts, PAD), "prompt_mask": left([[1] * len(row) for row in prompts], 0),
        "completion_ids": right(answers, PAD), "completion_mask": right([[1] * len(row) for row in answers], 0),
        **{name: right(rows, 0.0) for name, rows in by_token.items()},
    }  # fmt: skip


def by_place(batch, rows):
    """The same numbers where our batch has the tokens."""
    mask = answer_mask(batch)
    out = np.zeros(mask.shape)
    out[mask] = np.concatenate(rows)
    return out


def near(ours, batch, answers, seed):
    """Log-probabilities as of a policy not far away: a row an answer."""
    found, mask, rng = ours.token_log_probs(batch).numpy(), answer_mask(batch), np.random.default_rng(seed)
    return [found[row][mask[row]] + rng.normal(0, 0.35, len(answer)) for row, answer in enumerate(answers)]


def their_trainer(trl, model, **changes):
    settings = {
        "top_entropy_quantile": 1.0, "off_policy_mask_threshold": None, "importance_sampling_level": "token", "beta": 0.0,
        "loss_type": "grpo", "epsilon_low": 0.2, "epsilon_high": 0.2, "use_vllm": False, "_entropy_bonus_enabled": False,
        "vllm_importance_sampling_correction": False, "max_completion_length": LONGEST,
    }  # fmt: skip
    made = trainer(trl.GRPOTrainer, with_fused_head(model), **{**settings, **changes})
    made.args = type("Args", (), {"delta": None, "use_bias_correction_kl": False, "steps_per_generation": 1})
    return made


@each_model
@pytest.mark.parametrize("kl_coef", [0.0, 0.3])
@pytest.mark.parametrize(
    ("loss_type", "normalisation"),
    [("grpo", "sequence"), ("bnpo", "token"), ("dapo", "token"), ("dr_grpo", "constant")],
)
def test_each_normalisation_is_one_of_trls_losses(kind, kl_coef, loss_type, normalisation, tmp_path):
    import torch

    prompts, answers = some_answers(kind, 1)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 2, tmp_path)
        batch = answer_batch(prompts, answers, PAD)
        old, reference = near(ours, batch, answers, 3), near(ours, batch, answers, 4)
        batch |= {"old_log_probs": by_place(batch, old), "reference_log_probs": by_place(batch, reference)}
        batch["advantages"] = np.random.default_rng(5).normal(size=ROWS)
        inputs = their_inputs(prompts, answers, old_per_token_logps=old, ref_per_token_logps=reference)
        inputs |= {
            "advantages": torch.tensor(batch["advantages"]),
            "num_items_in_batch": torch.tensor(sum(map(len, answers))),
        }
        made = their_trainer(trl, theirs, beta=kl_coef, loss_type=loss_type, epsilon_low=0.15, epsilon_high=0.3)
        length = LONGEST if normalisation == "constant" else None
        loss = GRPOLoss(ours, GRPOConfig(0.15, 0.3, kl_coef, "k3", normalisation, length))
        found = made._compute_loss(theirs, inputs)
        clipped = made._metrics["eval"]["clip_ratio/region_mean"][0]
        assert 0.05 < clipped < 0.95
        compare(theirs, found, ours, loss(batch), tmp_path)


@each_model
def test_ppos_loss_of_the_policy_is_trls_with_an_advantage_a_token(kind, tmp_path):
    prompts, answers = some_answers(kind, 6)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 7, tmp_path)
        batch = answer_batch(prompts, answers, PAD)
        rng = np.random.default_rng(8)
        old, advantages = near(ours, batch, answers, 9), [rng.normal(size=len(answer)) for answer in answers]
        batch |= {"old_log_probs": by_place(batch, old), "advantages": by_place(batch, advantages)}
        batch |= {
            "returns": rng.normal(size=batch["tokens"].shape),
            "old_values": rng.normal(size=batch["tokens"].shape),
        }
        inputs = their_inputs(prompts, answers, old_per_token_logps=old, advantages=advantages)
        found = their_trainer(trl, theirs, loss_type="bnpo")._compute_loss(theirs, inputs)
        both_learned = ActorCritic(ours, ScalarModel(ours))
        compare(theirs, found, ours, PPOLoss(both_learned, PPOConfig(value_coef=0.0))(batch), tmp_path)


def test_the_deviation_of_a_group_is_trls():
    with trl_in_double():
        import torch
        from trl.trainer.utils import nanstd

        rewards = np.random.default_rng(10).normal(size=(3, 5))
        centred, s = rewards - rewards.mean(1, keepdims=True), nanstd(torch.tensor(rewards), dim=1).numpy()
        found = group_advantages(rewards.reshape(-1), 5)
        np.testing.assert_allclose(found, (centred / (s[:, None] + 1e-4)).reshape(-1), rtol=1e-10)
        whole = nanstd(torch.tensor(rewards)).item()
        found = group_advantages(rewards.reshape(-1), 5, "batch")
        np.testing.assert_allclose(found, (centred / (whole + 1e-4)).reshape(-1), rtol=1e-10)


def test_their_model_is_redrawn():
    """A model as a library makes it has constants that hide what is done with them."""
    with trl_in_double():
        assert all(p.std() > 0.05 for p in their_model(GPT2, 0).parameters())
