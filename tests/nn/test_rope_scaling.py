"""Frequencies of scaled rotary positions, against numbers computed by hand and against what each scaling promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.nn import DynamicScaling, LinearScaling, Llama3Scaling, YaRN, rotate
from tinygrad_llm.nn.rope_scaling import plain

# base 100 and K = 8: w = 1, 10^-0.5, 10^-1, 10^-1.5; in L = 63 positions they go round 10.027, 3.171, 1.003, 0.317 times
K, BASE, L = 8, 100.0, 63
W = [1.0, 0.31622776601683794, 0.1, 0.03162277660168379]
EXACT = {"rtol": 1e-12, "atol": 0}


def test_plain_frequencies_are_those_of_the_paper():
    np.testing.assert_allclose(plain(K, BASE), W, **EXACT)


def test_linear_divides_every_frequency():
    np.testing.assert_allclose(LinearScaling(4.0).frequencies(K, BASE, 999), [w / 4 for w in W], **EXACT)
    x = Tensor(np.random.default_rng(0).normal(size=(1, 1, 5, K)))
    at = np.array([0, 4, 8, 20, 40])
    np.testing.assert_allclose(
        rotate(x, at, BASE, LinearScaling(4.0)).data, rotate(x, at // 4, BASE).data, rtol=1e-12, atol=1e-12
    )


def test_dynamic_slows_the_slowest_pair_by_the_stretch_and_the_fastest_not_at_all():
    scaling = DynamicScaling(3.0, L)
    for longest in (1, L - 1, L):
        np.testing.assert_allclose(scaling.frequencies(K, BASE, longest), W, **EXACT)
    # twice the trained length: 3 * 2 - 2 = 4; the exponents between are 0, 1/3, 2/3, 1
    expected = [W[0], W[1] / 4 ** (1 / 3), W[2] / 4 ** (2 / 3), W[3] / 4]
    np.testing.assert_allclose(scaling.frequencies(K, BASE, 2 * L), expected, rtol=1e-12)


def test_dynamic_goes_by_the_length_of_each_text():
    x, scaling = Tensor(np.random.default_rng(0).normal(size=(1, 1, 6, K))), DynamicScaling(2.0, 4)
    short, long = rotate(x[:, :, :4], np.arange(4), BASE, scaling).data, rotate(x, np.arange(6), BASE, scaling).data
    np.testing.assert_allclose(short, rotate(x[:, :, :4], np.arange(4), BASE).data, rtol=1e-12, atol=1e-12)
    assert np.abs(long[:, :, 1:4] - short[:, :, 1:]).max() > 1e-2
    again = rotate(x[:, :, :4], np.arange(4), BASE, scaling).data  # nothing is left of the longer one
    np.testing.assert_array_equal(again, short)


def test_yarn_ramps_between_the_pairs_that_go_round_fast_and_slow_times():
    # d(10) = 4 ln(1.0027) / ln 100 = 0.0023, rounded to 0; d(1) = 4 ln(10.027) / ln 100 = 2.0023, rounded to 3
    found = YaRN(4.0, L, fast=10.0, slow=1.0).frequencies(K, BASE, 999)
    np.testing.assert_allclose(found, [W[0], W[1] * 0.75, W[2] * 0.5, W[3] * 0.25], rtol=1e-12)
    first, last = 4 * math.log(L / (20 * math.pi)) / math.log(100), 4 * math.log(L / (2 * math.pi)) / math.log(100)
    ramp = [0, (1 - first) / (last - first), (2 - first) / (last - first), 1]
    exact = YaRN(4.0, L, fast=10.0, slow=1.0, truncate=False).frequencies(K, BASE, 999)
    np.testing.assert_allclose(exact, [w * (1 - 0.75 * r) for w, r in zip(W, ramp)], rtol=1e-12)


def test_yarns_ramp_ends_inside_the_head():
    # d(0.0001) = 4 ln(100268) / ln 100 = 10.0, and the last coordinate is number 7
    found = YaRN(4.0, L, fast=10.0, slow=1e-4).frequencies(K, BASE, 1)
    np.testing.assert_allclose(found, [w * (1 - 0.75 * i / 7) for i, w in enumerate(W)], rtol=1e-12)


def test_yarn_with_a_ramp_of_no_width_is_a_step():
    # d(2) = 4 ln(159.2) / ln 100 = 4.4 lies behind the last pair: in 2000 positions all go round often
    np.testing.assert_allclose(YaRN(4.0, 2000, fast=2.0, slow=1.0).frequencies(K, BASE, 1), W, **EXACT)
    narrow = YaRN(4.0, L, fast=2.0, slow=2.0, truncate=False).frequencies(K, BASE, 1)
    np.testing.assert_allclose(narrow, [W[0], W[1], W[2] / 4, W[3] / 4], rtol=1e-12)


def test_yarn_sharpens_the_scores():
    assert YaRN(4.0, L).magnitude() == pytest.approx(1.138629436111989, rel=1e-14)
    assert YaRN(1.0, L).magnitude() == 1.0 and YaRN(4.0, L, attention_factor=0.5).magnitude() == 0.5
    q, k = (Tensor(np.random.default_rng(i).normal(size=(1, 1, 6, K))) for i in (0, 1))
    turned = [rotate(x, np.arange(6), BASE, YaRN(4.0, L, attention_factor=f)).data for x in (q, k) for f in (1.0, 3.0)]
    plain_scores, sharp = turned[0] @ turned[2].swapaxes(-1, -2), turned[1] @ turned[3].swapaxes(-1, -2)
    np.testing.assert_allclose(sharp, 9 * plain_scores, rtol=1e-12)
    for scaling in (LinearScaling(4.0), DynamicScaling(4.0, L), Llama3Scaling(4.0, L)):
        assert scaling.magnitude() == 1.0


def test_llama_3s_interpolates_between_pairs_that_go_round_low_and_high_times():
    turns = [63 * w / (2 * math.pi) for w in W]
    smooth = [1.0, (turns[1] - 1) / 3, (turns[2] - 1) / 3, 0.0]
    expected = [(1 - m) * w / 8 + m * w for w, m in zip(W, smooth)]
    np.testing.assert_allclose(Llama3Scaling(8.0, L).frequencies(K, BASE, 999), expected, rtol=1e-12)
    assert expected[1] == pytest.approx(0.239743, rel=1e-5)  # 0.31623 (0.72358 + 0.27642 / 8)
    other = Llama3Scaling(8.0, L, low=0.1, high=3.0).frequencies(K, BASE, 999)
    np.testing.assert_allclose(other[:2], W[:2], **EXACT)
    assert other[3] == pytest.approx(W[3] * (m := (turns[3] - 0.1) / 2.9) + W[3] / 8 * (1 - m), rel=1e-9)


SCALINGS = [LinearScaling(3.0), DynamicScaling(3.0, 4), YaRN(3.0, 4, 1.0, 0.5), Llama3Scaling(3.0, 4, 0.2, 2.0)]


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_a_factor_of_one_changes_nothing_but_the_length_of_the_dynamic_one(scaling):
    same = type(scaling)(**{**vars(scaling), "factor": 1.0})
    longest = 4 if isinstance(scaling, DynamicScaling) else 99
    np.testing.assert_allclose(same.frequencies(K, BASE, longest), W, **EXACT)
    assert not np.allclose(scaling.frequencies(K, BASE, 99), W)


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_scores_depend_on_the_distance_alone(scaling):
    rng = np.random.default_rng(0)
    q, k = (Tensor(np.broadcast_to(rng.normal(size=(1, 1, 1, K)), (1, 1, 9, K)).copy()) for _ in range(2))
    turned = [rotate(x, np.arange(9), BASE, scaling).data[0, 0] for x in (q, k)]
    scores = turned[0] @ turned[1].T
    for distance in range(9):
        diagonal = np.diagonal(scores, -distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-10)


def test_the_gradient_is_turned_back_and_scaled_alike():
    x = Tensor(np.random.default_rng(0).normal(size=(1, 2, 5, K)), requires_grad=True)
    g, scaling = np.random.default_rng(1).normal(size=x.shape), YaRN(3.0, 4, 1.0, 0.5)
    (rotate(x, np.arange(5), BASE, scaling) * Tensor(g)).sum().backward()
    basis = np.eye(x.data.size).reshape(-1, *x.shape)
    expected = [(rotate(Tensor(e), np.arange(5), BASE, scaling).data * g).sum() for e in basis]
    np.testing.assert_allclose(x.grad.reshape(-1), expected, rtol=1e-11, atol=1e-13)


IMPOSSIBLE = [
    (LinearScaling, {"factor": 0.5}, "factor"), (LinearScaling, {"factor": True}, "factor"),
    (LinearScaling, {"factor": math.inf}, "factor"), (LinearScaling, {"factor": math.nan}, "factor"),
    (DynamicScaling, {"factor": 2.0, "original": 0}, "original"), (YaRN, {"factor": 2.0, "original": 8.0}, "original"),
    (YaRN, {"factor": 2.0, "original": 8, "fast": 1.0, "slow": 2.0}, "fast"), (YaRN, {"factor": 2.0, "original": 8, "slow": 0.0}, "slow"),
    (YaRN, {"factor": 2.0, "original": 8, "attention_factor": 0.0}, "attention_factor"),
    (YaRN, {"factor": 2.0, "original": 8, "truncate": 1}, "truncate"), (DynamicScaling, {"factor": "2", "original": 8}, "factor"),
    (Llama3Scaling, {"factor": 2.0, "original": 8, "low": 1.0, "high": 1.0}, "high"),
    (Llama3Scaling, {"factor": 2.0, "original": 8, "low": 0.0}, "low"), (Llama3Scaling, {"factor": 0.5, "original": 8}, "factor"),
    (YaRN, {"factor": 0.5, "original": 8}, "factor"), (Llama3Scaling, {"factor": 2.0, "original": -1}, "original"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "name"), IMPOSSIBLE, ids=str)
def test_what_cannot_be_is_refused_by_name(kind, options, name):
    with pytest.raises(ConfigError, match=f"rope_scaling.{name}"):
        kind(**options)


def test_the_least_that_can_be_is_taken():
    assert DynamicScaling(1, 1).depends_on(1) == 1 and DynamicScaling(1.0, 4).depends_on(9) == 9
    assert Llama3Scaling(1.0, 1, low=0.5, high=0.6).depends_on(9) == YaRN(1.0, 1, 0.5, 0.5).depends_on(9) == 0
    assert YaRN(2.0, 8, attention_factor=0.25).magnitude() == 0.25


def test_heads_of_one_pair_have_no_slowest_and_no_fastest():
    with pytest.raises(ConfigError, match="head_size"):
        DynamicScaling(2.0, 8).frequencies(2, BASE, 16)
    assert DynamicScaling(2.0, 8).frequencies(4, BASE, 16).shape == (2,)
    for scaling in (LinearScaling(2.0), YaRN(2.0, 8), Llama3Scaling(2.0, 8)):
        scaling.check_head_size(2)
        assert scaling.frequencies(2, BASE, 16).shape == (1,)
