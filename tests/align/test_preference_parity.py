"""The family of DPO against trl's DPOTrainer, KTOTrainer and CPOTrainer: loss and every gradient, in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from trl_trainers import GPT2, IGNORE, LLAMA, PAD, both, compare, some_texts, trainer, trl_in_double, with_fused_head

from tinygrad_llm.align import (
    PREFERENCES,
    PreferenceConfig,
    PreferenceLoss,
    Reference,
    preference_batch,
    unpaired_batch,
    with_reference,
)

pytestmark = [pytest.mark.oracle, IGNORE]
ROWS = 4
each_model = pytest.mark.parametrize("kind", [GPT2, LLAMA])


def their_batch(texts):
    """As trl's collator makes it: the chosen answers, then the rejected."""
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    names = "prompt_ids", "chosen_ids", "rejected_ids"
    return DataCollatorForPreference(pad_token_id=PAD)([dict(zip(names, row)) for row in texts])


def dpo_settings(beta, loss_type, e=0.0):
    plain = {"ld_alpha": None, "precompute_ref_logps": False, "f_divergence_type": "reverse_kl", "use_weighting": False}
    return {**plain, "beta": beta, "loss_types": [loss_type], "loss_weights": [1.0], "label_smoothing": e}


@each_model
@pytest.mark.parametrize("beta", [0.1, 0.7])
@pytest.mark.parametrize(
    ("config", "loss_type"),
    [
        (PREFERENCES["dpo"], "sigmoid"), (PREFERENCES["hinge"], "hinge"), (PREFERENCES["ipo"], "ipo"),
        (replace(PREFERENCES["dpo"], per_token=True), "sigmoid_norm"),
    ],
)  # fmt: skip
def test_pairs_with_a_reference_are_trls_dpo_trainer(kind, beta, config, loss_type, tmp_path):
    texts = some_texts(1, ROWS)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 2, tmp_path)
        their_reference, reference = both(kind, 3, tmp_path)
        inputs = their_batch(texts)
        made = trainer(
            trl.DPOTrainer, with_fused_head(theirs), ref_model=with_fused_head(their_reference),
            args=None, **dpo_settings(beta, loss_type),
        )  # fmt: skip
        made.args = type("Args", (), {"gradient_checkpointing_kwargs": None})
        loss = PreferenceLoss(ours, replace(config, beta=beta))
        batch = with_reference(preference_batch(*map(list, zip(*texts)), PAD), Reference(reference))
        compare(theirs, made._compute_loss(theirs, inputs, False), ours, loss(batch), tmp_path)


@each_model
def test_cdpo_is_trls_smoothed_loss_of_one_pair(kind, tmp_path):
    """trl has the smoothed form in `aot`, which sorts the pairs of a batch: of one pair there is nothing to sort."""
    texts = some_texts(4, 1)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 5, tmp_path)
        their_reference, reference = both(kind, 6, tmp_path)
        made = trainer(
            trl.DPOTrainer, with_fused_head(theirs), ref_model=with_fused_head(their_reference),
            **dpo_settings(0.3, "aot", 0.2),
        )  # fmt: skip
        made.args = type("Args", (), {"gradient_checkpointing_kwargs": None})
        loss = PreferenceLoss(ours, replace(PREFERENCES["cdpo"], beta=0.3, label_smoothing=0.2))
        batch = with_reference(preference_batch(*map(list, zip(*texts)), PAD), Reference(reference))
        compare(theirs, made._compute_loss(theirs, their_batch(texts), False), ours, loss(batch), tmp_path)


@each_model
@pytest.mark.parametrize(
    ("loss_type", "e"),
    [("simpo", 0.0), ("simpo", 0.15), ("sigmoid", 0.0), ("sigmoid", 0.15), ("hinge", 0.0), ("ipo", 0.0)],
)
def test_pairs_without_a_reference_are_trls_cpo_trainer(kind, loss_type, e, tmp_path):
    texts, beta, gamma = some_texts(7, ROWS), 1.7, 0.6
    config = {
        "simpo": replace(PREFERENCES["simpo"], beta=beta, margin=gamma),
        "sigmoid": PreferenceConfig(beta=beta, reference=False),
        "hinge": PreferenceConfig(beta=beta, reference=False, link="hinge"),
        "ipo": replace(PREFERENCES["ipo"], beta=beta, reference=False),
    }[loss_type]
    with trl_in_double():
        from trl.experimental.cpo import CPOTrainer

        theirs, ours = both(kind, 8, tmp_path)
        made = trainer(
            CPOTrainer, theirs, loss_type=loss_type, beta=beta, simpo_gamma=gamma, label_smoothing=e, alpha=0.0,
            cpo_alpha=0.0, is_encoder_decoder=False, pad_token_id=PAD,
        )  # fmt: skip
        found = made.get_batch_loss_metrics(theirs, cpo_batch(texts))[0]
        loss = PreferenceLoss(ours, replace(config, label_smoothing=e))
        compare(theirs, found, ours, loss(preference_batch(*map(list, zip(*texts)), PAD)), tmp_path)


def cpo_batch(texts):
    """As CPOTrainer's collator makes it."""
    import torch

    found = their_batch(texts)
    out = {}
    for name, rows in (("chosen", slice(0, len(texts))), ("rejected", slice(len(texts), None))):
        ids, mask = found["input_ids"][rows], found["attention_mask"][rows]
        labels = ids.masked_fill(found["completion_mask"][rows] == 0, -100)
        out |= {f"{name}_input_ids": ids, f"{name}_attention_mask": mask, f"{name}_labels": labels}
    return {**out, "prompt_input_ids": torch.zeros((len(texts), 1), dtype=torch.int64)}


@each_model
@pytest.mark.parametrize("ahead", [1, -1], ids=["point above 0", "point clamped"])
def test_single_answers_are_trls_kto_trainer(kind, ahead, tmp_path):
    import torch

    texts, labels, weights = some_texts(9, ROWS), [True, False, False, True], (1.3, 0.7)
    prompts, answers = [row[0] for row in texts], [row[1] for row in texts]
    batch = unpaired_batch(prompts, answers, labels, PAD)
    with trl_in_double() as trl:
        theirs, ours = both(kind, 10, tmp_path)
        their_reference, reference = both(kind, 11, tmp_path)
        # who knows little is seldom sure of a wrong token, and so ahead of who is
        even, alike = (theirs, ours) if ahead > 0 else (their_reference, reference)
        even.load_state_dict({name: 0.3 * values for name, values in even.state_dict().items()})
        for p in alike.parameters():
            p.assign(0.3 * p.numpy())
        made = trainer(
            trl.KTOTrainer, with_fused_head(theirs), ref_model=with_fused_head(their_reference), beta=0.4,
            loss_type="kto", calculate_KL=True, precompute_ref_logps=False, desirable_weight=weights[0],
            undesirable_weight=weights[1],
        )  # fmt: skip
        made.args = type("Args", (), {"gradient_checkpointing_kwargs": None})
        inputs = {"label": torch.tensor(labels)}
        for before, second in (("", answers), ("KL_", [*answers[1:], answers[0]])):
            found = their_batch([[p, a, a] for p, a in zip(prompts, second)])
            inputs |= {before + name: found[name][:ROWS] for name in ("input_ids", "attention_mask", "completion_mask")}
        config = replace(PREFERENCES["kto"], beta=0.4, desirable=weights[0], undesirable=weights[1])
        loss = PreferenceLoss(ours, config)
        whole = loss.with_point(with_reference(batch, Reference(reference)))
        found = made._compute_loss(theirs, inputs, False)
        np.testing.assert_allclose(whole["point"], made._metrics["eval"]["kl"][0], rtol=1e-10)
        assert (whole["point"] > 0).all() == (ahead > 0)
        compare(theirs, found, ours, loss(whole), tmp_path)
