"""Blocked attention with lengths, windows, softcaps and values of another width, against the definition."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from tinygrad_llm.ops import attention_blocks
from tinygrad_llm.ops.attention_blocks import BlockedAttention

RNG = np.random.default_rng(3)


def seen(batch, time, source, lengths, causal, window):
    """Which query sees which key, (B, T, S), number by number."""
    table = np.zeros((batch, time, source), bool)
    for b, t, s in product(range(batch), range(time), range(source)):
        length = source if lengths is None else lengths[b]
        position = t + length - time
        allowed = s < length and (not causal or s <= position)
        table[b, t, s] = allowed and (window is None or s > position - window)
    return table


def by_definition(q, k, v, g, mask, causal, scale, drop, lengths=None, window=None, softcap=None):
    """out, dq, dk, dv and the mask's gradient, with all scores and one softmax at once."""
    raw = scale * np.einsum("bgrtk,bgsk->bgrts", q, k)
    capped = raw if softcap is None else softcap * np.tanh(raw / softcap)
    scores = capped if mask is None or mask.dtype == bool else capped + mask
    allowed = seen(len(q), q.shape[3], k.shape[2], lengths, causal, window)[:, None, None]
    allowed = allowed & mask if mask is not None and mask.dtype == bool else np.broadcast_to(allowed, scores.shape)
    scores = np.where(allowed, scores, -np.inf)
    top = scores.max(-1, keepdims=True, initial=-1e300)
    e = np.exp(scores - top)
    z = e.sum(-1, keepdims=True)
    p = np.divide(e, z, out=np.zeros_like(e), where=z > 0)
    kept = 1 if drop is None else drop
    out = np.einsum("bgrts,bgsj->bgrtj", p * kept, v)
    dp = np.einsum("bgrtj,bgsj->bgrts", g, v) * kept
    ds = p * (dp - (p * dp).sum(-1, keepdims=True))
    draw = ds if softcap is None else ds * (1 - (capped / softcap) ** 2)
    dq = scale * np.einsum("bgrts,bgsk->bgrtk", draw, k)
    dk = scale * np.einsum("bgrts,bgrtk->bgsk", draw, q)
    dv = np.einsum("bgrts,bgrtj->bgsj", p * kept, g)
    return out, dq, dk, dv, ds.reshape(len(q), -1, *ds.shape[-2:])


def check(shape, causal=False, scale=0.4, kind=None, p=0.0, far=0.0, **options):
    """All five results equal, whatever the gradients' places held before."""
    batch, groups, repeats, time, source, size, width = shape
    q, g = (RNG.normal(size=(batch, groups, repeats, time, n)) for n in (size, width))
    k, v = (RNG.normal(size=(batch, groups, source, n)) for n in (size, width))
    mask = None
    if kind == "bool":
        mask = RNG.random((batch, groups, repeats, time, source)) < 0.6
    elif kind == "numbers":
        mask = RNG.normal(size=(batch, groups, repeats, time, source)) + far
    drop = (RNG.random((batch, groups, repeats, time, source)) > p) / (1 - p) if p else None
    way = BlockedAttention(q, k, v, mask, causal, scale, drop, **options)
    out = np.full(g.shape, np.nan)
    way.forward(out)
    dq, dk, dv = (np.full(x.shape, np.nan) for x in (q, k, v))
    dmask = way.backward(g, dq, dk, dv, kind == "numbers")
    expected = by_definition(q, k, v, g, mask, causal, scale, drop, **options)
    for mine, theirs in zip((out, dq, dk, dv, dmask), expected):
        if mine is not None:
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


HEADS = [(1, 1), (2, 3)]
SIZES = [(1, 7), (5, 5), (4, 9), (9, 4), (150, 170)]


def lengths_of(source, several):
    return np.array([source, max(1, source // 2), 0]) if several else np.full(3, max(1, source - 1))


@pytest.mark.parametrize("softcap", [None, 0.7])
@pytest.mark.parametrize("window", [None, 1, 3, 64, 1000])
@pytest.mark.parametrize("several", [None, False, True])
@pytest.mark.parametrize(("heads", "sizes"), list(product(HEADS, SIZES)))
def test_causal_attention_of_every_kind(heads, sizes, several, window, softcap):
    lengths = None if several is None else lengths_of(sizes[1], several)
    check((3, *heads, *sizes, 4, 3), causal=True, lengths=lengths, window=window, softcap=softcap)


@pytest.mark.parametrize("softcap", [None, 0.7])
@pytest.mark.parametrize("several", [None, False, True])
@pytest.mark.parametrize(("heads", "sizes"), list(product(HEADS, SIZES)))
def test_attention_to_all_keys_that_are_there(heads, sizes, several, softcap):
    lengths = None if several is None else lengths_of(sizes[1], several)
    check((3, *heads, *sizes, 4, 6), lengths=lengths, softcap=softcap)


@pytest.mark.parametrize("kind", [None, "bool", "numbers"])
@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("several", [None, True])
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (True, 4)])
def test_masks_and_dropout_beside_lengths_windows_and_softcaps(causal, window, several, p, kind):
    options = {"lengths": lengths_of(9, several) if several else None, "window": window}
    for softcap in (None, 2.0):
        check((3, 2, 2, 6, 9, 4, 5), causal=causal, kind=kind, p=p, softcap=softcap, **options)


@pytest.mark.parametrize("far", [-700.0, -40.0, 40.0, 700.0])
def test_scores_far_from_zero_meet_windows_and_lengths(far):
    check((3, 2, 2, 6, 9, 4, 5), causal=True, kind="numbers", far=far, window=3, lengths=lengths_of(9, True))


@pytest.mark.parametrize("block", [16, 1 << 30])
@pytest.mark.parametrize("window", [None, 2, 5])
def test_blocks_of_any_size_give_the_same(block, window, monkeypatch):
    monkeypatch.setattr(attention_blocks, "BLOCK_BYTES", block)
    monkeypatch.setattr(attention_blocks, "QUERY_BLOCK", 3)
    for lengths in (None, np.array([11, 4, 8]), np.array([7, 7, 7])):
        check((3, 2, 2, 10, 11, 4, 4), causal=True, window=window, lengths=lengths)


def test_a_window_skips_the_blocks_of_keys_that_nobody_sees():
    q = np.zeros((1, 1, 1, 512, 4))
    way = BlockedAttention(q, q[:, 0], q[:, 0], None, True, 1.0, None, window=32)
    for block in way.blocks():
        assert block.keys.stop == block.queries.stop
        assert block.keys.start == max(0, block.queries.start - 31)


def test_a_decode_step_reads_no_more_keys_than_the_longest_example_has():
    q, k = np.zeros((4, 1, 1, 1, 4)), np.zeros((4, 1, 100, 4))
    lengths = np.array([3, 9, 7, 5])
    for window, start in ((None, 0), (2, 1)):
        (block,) = BlockedAttention(q, k, k, None, True, 1.0, None, lengths=lengths, window=window).blocks()
        assert (block.keys.start, block.keys.stop) == (start, 9)


def test_a_hidden_key_however_large_changes_nothing():
    q, k, v = RNG.normal(size=(2, 1, 1, 3, 4)), RNG.normal(size=(2, 1, 8, 4)), RNG.normal(size=(2, 1, 8, 4))
    options = {"lengths": np.array([5, 8]), "window": 2}
    results = []
    for size in (1.0, 1e5, 1e200):
        k[0, :, 5:] *= size
        k[1, :, :2] *= size
        out = np.empty_like(q)
        with np.errstate(over="ignore"):
            BlockedAttention(q, k, v, None, True, 1.0, None, **options).forward(out)
        results.append(out)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)
    np.testing.assert_allclose(results[0], results[2], rtol=1e-12)
    assert math.isfinite(results[0].sum())
