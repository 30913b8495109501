"""Every option of every loss against a sum over targets in plain Python, and its gradient against differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.errors import DtypeError, ShapeError, TinygradLLMError, TokenError

RNG = np.random.default_rng(6)
X, HEAD, STATES = RNG.normal(size=(2, 3, 5)), RNG.normal(size=(5, 4)), RNG.normal(size=(2, 3, 4))
TARGETS = np.array([[0, 2, 4], [-100, 1, 2]])
WEIGHT = np.array([0.5, 1.0, 3.0, 0.0, 2.0])


def by_hand(logits, targets, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean", divisor=None):
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    losses, total = np.zeros(targets.shape), 0.0
    for place in np.ndindex(targets.shape):
        if targets[place] == ignore_index:
            continue
        for c in range(logits.shape[-1]):
            share = (1 - label_smoothing) * (c == targets[place]) + label_smoothing / logits.shape[-1]
            losses[place] -= share * logp[place][c] * (1 if weight is None else weight[c])
        total += 1 if weight is None else weight[targets[place]]
    if divisor is None:
        divisor = total if reduction == "mean" else 1
    return (losses if reduction == "none" else losses.sum()) / divisor


OPTIONS = [
    {"ignore_index": ignore, "label_smoothing": smoothing, "divisor": divisor}
    for ignore, smoothing, divisor in product((-100, 2), (0.0, 0.1, 1.0), (None, 2.5, 0.3))
]


def counted(ignore):
    """No target is outside: what is not to be ignored is a class."""
    return TARGETS if ignore == -100 else np.where(TARGETS == -100, 3, TARGETS)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_cross_entropy_is_its_sum(options, reduction, weight):
    targets = counted(options["ignore_index"])
    expected = by_hand(X, targets, weight, reduction=reduction, **options)
    found = ops.cross_entropy(X, targets, weight, reduction=reduction, **options)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.data, expected, rtol=1e-12)
    gradcheck(lambda x: ops.cross_entropy(x, targets, weight, reduction=reduction, **options), [X])


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_fused_loss_is_the_loss_of_the_product(options):
    targets = counted(options["ignore_index"])
    expected = by_hand(STATES @ HEAD.T, targets, **options)
    np.testing.assert_allclose(ops.linear_cross_entropy(STATES, HEAD, targets, **options).data, expected, rtol=1e-12)
    gradcheck(lambda x, w: ops.linear_cross_entropy(x, w, targets, **options), [STATES, HEAD])


@pytest.mark.parametrize("loss", [lambda **o: ops.cross_entropy(X, TARGETS, **o), lambda **o: ops.linear_cross_entropy(STATES, HEAD, TARGETS, **o)])  # fmt: skip
def test_a_sum_is_not_divided_by_nothing(loss):
    with pytest.raises(TinygradLLMError):
        loss(divisor=0)


def test_targets_have_the_logits_shape_and_are_integers():
    for wrong in (TARGETS.T, TARGETS.reshape(-1), TARGETS[None], TARGETS[:, :2], TARGETS[:1]):
        with pytest.raises(ShapeError, match="targets"):
            ops.cross_entropy(X, wrong)
        with pytest.raises(ShapeError, match="targets"):
            ops.linear_cross_entropy(STATES, HEAD, wrong)
    for wrong in (TARGETS > 0, TARGETS.astype(float)):
        with pytest.raises(DtypeError, match="targets"):
            ops.cross_entropy(X, wrong)


def test_a_divergence_is_a_mean_over_the_leading_axes_or_a_sum():
    log_p, log_q = (ops.log_softmax(RNG.normal(size=(2, 3, 5))).data for _ in "pq")
    each = (np.exp(log_p) * (log_p - log_q)).sum(-1)
    assert ops.kl_divergence(log_p, log_q).item() == pytest.approx(each.mean(), rel=1e-12)
    assert ops.kl_divergence(log_p, log_q, reduction="sum").item() == pytest.approx(each.sum(), rel=1e-12)
    for reduction in ("mean", "sum"):
        gradcheck(lambda p, q, r=reduction: ops.kl_divergence(p, q, reduction=r), [log_p, log_q])
    never = log_p.copy()
    never[..., 0] = -np.inf
    p = Tensor(never, requires_grad=True)
    ops.kl_divergence(p, log_q).backward()
    assert np.isfinite(p.grad).all() and not p.grad[..., 0].any()


def test_means_over_all_entries_are_means():
    a, b = RNG.normal(size=(2, 3, 2)), RNG.uniform(0.1, 0.9, (2, 3, 2))
    assert ops.mse(a, b).item() == pytest.approx(((a - b) ** 2).sum() / 12, rel=1e-12)
    s = 1 / (1 + np.exp(-a))
    assert ops.binary_cross_entropy(a, b).item() == pytest.approx(-(b * np.log(s) + (1 - b) * np.log(1 - s)).sum() / 12)
    gradcheck(ops.mse, [a, b])
    gradcheck(ops.binary_cross_entropy, [a, b])


@pytest.mark.parametrize("outside", [5, 6, -1, -2, 2**40])
def test_a_target_that_is_no_class_is_named(outside):
    wrong = TARGETS.copy()
    wrong[1, 2] = outside
    for call in (
        lambda: ops.cross_entropy(X, wrong),
        lambda: ops.cross_entropy(X, wrong, WEIGHT),
        lambda: ops.linear_cross_entropy(STATES, HEAD, wrong),
    ):
        with pytest.raises(TokenError, match=f"target: expected 0 to 4, or -100 to ignore it, got {outside}"):
            call()


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_what_is_ignored_may_have_any_logits(smoothing, reduction, weight, nothing):
    options = {"label_smoothing": smoothing, "reduction": reduction}
    broken = X.copy()
    broken[1, 0] = nothing  # where TARGETS says to ignore
    x = Tensor(broken, requires_grad=True)
    with np.errstate(invalid="ignore"):
        loss = ops.cross_entropy(x, TARGETS, weight, **options)
        g = np.where(TARGETS == -100, nothing, 1.0) if reduction == "none" else 1.0
        loss.backward(g)
    np.testing.assert_allclose(loss.data, by_hand(X, TARGETS, weight, **options), rtol=1e-12)
    own = Tensor(X, requires_grad=True)
    ops.cross_entropy(own, TARGETS, weight, **options).backward(np.ones(loss.shape))
    np.testing.assert_array_equal(x.grad, own.grad)
    assert not x.grad[1, 0].any()
