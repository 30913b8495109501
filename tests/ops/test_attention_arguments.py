"""Attention's scale, its bias and its dropout: any number is a scale, a bias is learned, each weight is drawn by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.errors import DtypeError

RNG = np.random.default_rng(7)
Q, K, V = (RNG.normal(size=(2, heads, n, 3)) for heads, n in ((4, 5), (2, 6), (2, 6)))


def by_hand(q, k, v, scale=None, softcap=None, mask=0.0):
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], 1) for x in (k, v))
    scores = q @ k.swapaxes(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = (scores if softcap is None else softcap * np.tanh(scores / softcap)) + mask
    e = np.exp(scores)
    return e / e.sum(-1, keepdims=True) @ v


@pytest.mark.parametrize("scale", [None, 0, 0.0, -0.7, 2, np.float64(0.3)])
def test_any_number_is_a_scale(scale):
    expected = by_hand(Q, K, V, scale)
    for attention in (ops.attention, ops.composed.attention):
        np.testing.assert_allclose(attention(Tensor(Q), Tensor(K), Tensor(V), scale=scale).data, expected, rtol=1e-12)
    flat = [x[:, :, :5].transpose(0, 2, 1, 3).reshape(2, 5, -1) for x in (Q, K, V)]
    wanted = by_hand(Q, K[:, :, :5], V[:, :, :5], scale).transpose(0, 2, 1, 3).reshape(2, 5, -1)
    for packed in (ops.packed_attention, ops.composed.packed_attention):
        found = packed(Tensor(np.concatenate(flat, -1)), 4, 2, causal=False, scale=scale)
        np.testing.assert_allclose(found.data, wanted, rtol=1e-12)


@pytest.mark.parametrize("softcap", [None, 0.6])
@pytest.mark.parametrize("shape", [(2, 4, 5, 6), (4, 5, 6), (1, 4, 1, 6), (5, 6), (6,)])
def test_a_bias_of_the_scores_is_added_unscaled_and_learned(shape, softcap):
    bias = RNG.normal(size=shape)
    found = ops.attention(Q, K, V, mask=bias, scale=0.3, softcap=softcap)
    np.testing.assert_allclose(found.data, by_hand(Q, K, V, 0.3, softcap, bias), rtol=1e-12)
    gradcheck(lambda m: ops.attention(Q, K, V, mask=m, scale=0.3, softcap=softcap), [bias])


def test_a_mask_is_of_booleans_or_of_the_scores_own_dtype():
    for wrong in (np.ones((5, 6), int), np.ones((5, 6), np.float32)):
        with pytest.raises(DtypeError, match="mask|attention"):
            ops.attention(Q, K, V, mask=wrong)


def test_a_mask_hides_beside_what_the_past_and_the_lengths_hide():
    seen = np.random.default_rng(1).random((2, 4, 5, 6)) < 0.7
    seen[..., 0] = True
    past = np.tri(5, 6, 1, dtype=bool)
    both = np.where(seen & past, 0.0, -1e30)
    np.testing.assert_allclose(
        ops.attention(Q, K, V, mask=seen, causal=True).data, by_hand(Q, K, V, mask=both), rtol=1e-10
    )
    lengths = np.array([6, 4])
    hidden = np.where(seen & (np.arange(6) < lengths[:, None, None, None]), 0.0, -1e30)
    np.testing.assert_allclose(ops.attention(Q, K, V, mask=seen, lengths=lengths).data, by_hand(Q, K, V, mask=hidden), rtol=1e-10)  # fmt: skip


def test_each_weight_is_dropped_by_itself():
    """Values that are unit vectors show the weights: of any two heads, queries and examples others are gone."""
    q, k, v = np.zeros((3, 4, 5, 2)), np.zeros((3, 2, 32, 2)), np.broadcast_to(np.eye(32), (3, 2, 32, 32)).copy()
    for p in (0.25, 0.5):
        weights = ops.attention(q, k, v, p=p, rng=np.random.default_rng(0)).data
        assert set(np.unique(weights.round(6))) == {0, round(1 / 32 / (1 - p), 6)}
        assert (weights == 0).mean() == pytest.approx(p, abs=0.04)
        rows = {tuple(row) for row in (weights == 0).reshape(-1, 32)}
        assert len(rows) == 3 * 4 * 5
    packed = np.zeros((3, 32, 12))
    packed[..., 8:] = RNG.normal(size=(3, 32, 4))
    dropped = [ops.packed_attention(packed, 2, p=0.5, rng=np.random.default_rng(seed)).data for seed in (0, 0, 1)]
    np.testing.assert_array_equal(dropped[0], dropped[1])
    assert np.abs(dropped[0] - dropped[2]).max() > 1e-3


def test_what_is_dropped_has_no_gradient_and_what_is_kept_its_own():
    for options in ({"p": 0.4}, {"p": 0.4, "causal": True, "softcap": 0.7}):
        gradcheck(lambda q, k, v, o=options: ops.attention(q, k, v, rng=np.random.default_rng(2), **o), [Q[:1, :2], K[:1, :1], V[:1, :1]])  # fmt: skip
    packed = RNG.normal(size=(1, 3, 8))
    gradcheck(lambda x: ops.packed_attention(x, 2, 1, p=0.4, rng=np.random.default_rng(2)), [packed])
