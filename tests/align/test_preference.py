"""The family of DPO by its formulas, written out in NumPy; and split over threads."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from splits import assert_gradient, assert_splits
from toy import PAD, model, texts

from tinygrad_llm.align import (
    LINKS,
    PREFERENCES,
    PreferenceConfig,
    PreferenceLoss,
    Reference,
    answer_batch,
    preference_batch,
    unpaired_batch,
    with_reference,
)
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError

NAMES = list(PREFERENCES)
D = np.array([-30.0, -2.0, -0.5, 0.0, 0.3, 1.0, 40.0])
log_sigmoid = lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
FORMULAS = {
    "dpo": lambda d: -log_sigmoid(0.1 * d),
    "cdpo": lambda d: -0.9 * log_sigmoid(0.1 * d) - 0.1 * log_sigmoid(-0.1 * d),
    "ipo": lambda d: (d - 5.0) ** 2,
    "hinge": lambda d: np.maximum(0, 1 - 0.1 * d),
    "simpo": lambda d: -log_sigmoid(2 * d - 1.0),
    "kto": lambda d: 1 - 1 / (1 + np.exp(-0.1 * d)),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_members_cost_is_its_papers_formula(name):
    found = PREFERENCES[name].cost(Tensor(D)).numpy()
    np.testing.assert_allclose(found, FORMULAS[name](D), rtol=1e-12, atol=1e-15)


def test_a_label_that_is_wrong_with_probability_e_costs_the_mean_of_both():
    for link in LINKS:
        plain = PreferenceConfig(beta=0.6, link=link)
        right, wrong = plain.cost(Tensor(D)).numpy(), plain.cost(Tensor(-D)).numpy()
        found = replace(plain, label_smoothing=0.2).cost(Tensor(D)).numpy()
        np.testing.assert_allclose(found, 0.8 * right + 0.2 * wrong, rtol=1e-12)


def test_cdpo_is_least_where_the_policy_is_as_sure_as_the_labels_are():
    """eq. 3's minimum: s(h) = 1 - e; plain DPO has none."""
    h = np.linspace(-6, 6, 2401)
    costs = PreferenceConfig(beta=1.0, label_smoothing=0.1).cost(Tensor(h)).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-h[costs.argmin()])), 0.9, atol=1e-3)
    assert PreferenceConfig(beta=1.0).cost(Tensor(h)).numpy().argmin() == len(h) - 1


def a_batch(seed, config, kind="pairs"):
    prompts, one, other = texts(seed, 5)
    reference = Reference(model(8))
    if kind == "pairs":
        batch = preference_batch(prompts, one, other, PAD)
        return with_reference(batch, reference) if config.reference else batch
    return with_reference(unpaired_batch(prompts, one, [True, False, True, True, False], PAD), reference)


def sums(found, prompts, answers, per_token):
    out = found.token_log_probs(answer_batch(prompts, answers, PAD)).numpy().sum(1)
    return out / [len(answer) for answer in answers] if per_token else out


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_of_pairs_is_the_mean_cost_of_the_differences(name):
    config, policy, reference = PREFERENCES[name], model(9), model(8)
    prompts, one, other = texts(10, 5)
    d = [sums(policy, prompts, answers, config.per_token) for answers in (one, other)]
    if config.reference:
        d = [part - sums(reference, prompts, answers, config.per_token) for part, answers in zip(d, (one, other))]
    loss = PreferenceLoss(policy, config)
    batch = a_batch(10, config)
    np.testing.assert_allclose(loss(batch).item(), FORMULAS[name](d[0] - d[1]).mean(), rtol=1e-10)
    np.testing.assert_allclose(loss.rewards(batch, "chosen_"), config.beta * d[0], rtol=1e-10)
    np.testing.assert_allclose(loss.rewards(batch, "rejected_"), config.beta * d[1], rtol=1e-10)


def test_the_loss_of_single_answers_is_ktos():
    config, policy, reference = (
        PreferenceConfig(beta=0.5, link="probability", desirable=1.5, undesirable=0.25),
        model(9),
        model(8),
    )
    prompts, answers, _ = texts(10, 5)
    wanted = np.array([True, False, True, True, False])
    loss = PreferenceLoss(policy, config)
    d = sums(policy, prompts, answers, False) - sums(reference, prompts, answers, False)
    shifted = [*answers[1:], answers[0]]
    z = max(0.0, (sums(policy, prompts, shifted, False) - sums(reference, prompts, shifted, False)).mean())
    value = np.where(wanted, 1.5 / (1 + np.exp(-0.5 * (d - z))), 0.25 / (1 + np.exp(-0.5 * (z - d))))
    batch = loss.with_point(a_batch(10, config, "singles"))
    np.testing.assert_allclose(batch["point"], np.full(5, z), rtol=1e-10)
    np.testing.assert_allclose(loss(batch).item(), (np.where(wanted, 1.5, 0.25) - value).mean(), rtol=1e-10)
    other = {**batch, "point": batch["point"] + 0.7}  # the point counts, whatever it is
    moved = np.where(wanted, 1.5 / (1 + np.exp(-0.5 * (d - z - 0.7))), 0.25 / (1 + np.exp(-0.5 * (z + 0.7 - d))))
    np.testing.assert_allclose(loss(other).item(), (np.where(wanted, 1.5, 0.25) - moved).mean(), rtol=1e-10)


def test_the_reference_point_is_never_below_0():
    prompts, answers, _ = texts(10, 4)
    batch = unpaired_batch(prompts, answers, [True] * 4, PAD)
    one, other = (PreferenceLoss(model(seed), PREFERENCES["kto"]) for seed in (8, 9))
    points = [
        loss.with_point(with_reference(batch, Reference(model(seed))))["point"][0]
        for loss, seed in ((one, 9), (other, 8))
    ]
    assert min(points) == 0 < max(points)


@pytest.mark.parametrize("kind", ["pairs", "singles"])
@pytest.mark.parametrize("name", NAMES)
def test_a_split_batch_adds_up_to_the_whole(name, kind):
    config, policy = PREFERENCES[name], model(11, dropout=0.3)
    batch = a_batch(12, config, kind)
    loss = PreferenceLoss(policy, config)
    assert_splits(loss, policy, batch if kind == "pairs" else loss.with_point(batch))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_differences(name):
    config, policy = PREFERENCES[name], model(13)
    assert_gradient(PreferenceLoss(policy, config), policy, a_batch(14, config))


def test_dpos_gradient_is_weighted_by_how_wrong_the_implicit_reward_is():
    """Rafailov et al. 2023, section 4: dL = -beta s(r(rejected) - r(chosen)) (d ln p(chosen) - d ln p(rejected))."""
    policy, config = model(15), PreferenceConfig(beta=0.3)
    batch = a_batch(16, config)
    loss = PreferenceLoss(policy, config)
    weight = 1 / (1 + np.exp(loss.rewards(batch, "chosen_") - loss.rewards(batch, "rejected_")))
    loss(batch).backward()
    found = policy.norm.weight.grad.copy()
    policy.norm.weight.grad = None
    prompts, one, other = texts(16, 5)
    for answers, sign in ((one, -1), (other, 1)):
        places = policy.token_log_probs(answer_batch(prompts, answers, PAD)).sum(1)
        (places * (sign * 0.3 * weight / 5)).sum().backward()
    np.testing.assert_allclose(found, policy.norm.weight.grad, rtol=1e-8, atol=1e-12)


def test_a_fresh_policy_is_at_ln_2_and_has_no_rewards():
    policy = model(17)
    prompts, one, other = texts(18, 5)
    batch = with_reference(preference_batch(prompts, one, other, PAD), Reference(policy))
    loss = PreferenceLoss(policy, PREFERENCES["dpo"])
    np.testing.assert_allclose(loss(batch).item(), math.log(2), rtol=1e-12)
    np.testing.assert_allclose(loss.rewards(batch, "chosen_"), np.zeros(5), atol=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("beta", 0.0), ("beta", math.inf), ("beta", math.nan), ("link", "linear"), ("label_smoothing", 0.5),
        ("label_smoothing", -0.1), ("margin", -1.0), ("margin", math.nan), ("desirable", -1.0), ("undesirable", math.inf),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(ArgumentError, match=field):
        PreferenceConfig(**{field: value})


def test_a_batch_without_what_is_needed_is_refused():
    prompts, one, other = texts(19, 3)
    loss = PreferenceLoss(model(20), PREFERENCES["dpo"])
    with pytest.raises(ArgumentError, match="with_reference"):
        loss(preference_batch(prompts, one, other, PAD))
    singles = unpaired_batch(prompts, one, [True, False, True], PAD)
    with pytest.raises(ArgumentError, match="with_point"):
        loss(with_reference(singles, Reference(model(20))))
    for answers, labels in ((one[:1], [True]), (one, [True, False])):
        with pytest.raises(ArgumentError, match="one label an answer"):
            unpaired_batch(prompts[: len(answers)], answers, labels, PAD)
