"""Claims about positions: what each scheme tells attention, in numbers worked out here or by transformers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import SINGLE_OP, assert_close

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import to_device_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn import YaRN, alibi_bias, alibi_slopes, rotate, sinusoidal_table
from tinygrad_llm.nn.position import OnePosition

sizes = st.integers(1, 12)


def test_the_sinusoidal_table_alternates_sines_and_cosines():
    # width 4: the second wave is 10000^(1/2) = 100 times as long
    expected = [[0, 1, 0, 1], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]]
    assert_close(sinusoidal_table(2, 4), np.array(expected), SINGLE_OP)


@given(st.integers(1, 50), st.integers(1, 8))
def test_a_shift_is_one_rotation_of_each_pair_wherever_it_starts(shift, pairs):
    table = sinusoidal_table(60 + shift, 2 * pairs)
    for i in range(pairs):
        turn = shift / 10_000 ** (2 * i / (2 * pairs))
        rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        np.testing.assert_allclose(
            table[shift:, 2 * i : 2 * i + 2], table[:60, 2 * i : 2 * i + 2] @ rotation.T, atol=1e-12
        )


def test_no_two_of_ten_thousand_positions_look_alike():
    table = sinusoidal_table(10_000, 16)
    order = np.lexsort(table.T)
    assert np.abs(np.diff(table[order], axis=0)).max(1).min() > 1e-6


def test_slopes_of_a_power_of_two_fall_by_one_factor_to_2_to_the_minus_8():
    np.testing.assert_array_equal(alibi_slopes(8), 0.5 ** np.arange(1, 9))
    np.testing.assert_array_equal(alibi_slopes(1), [2.0**-8])
    np.testing.assert_allclose(alibi_slopes(16), 2 ** (-np.arange(1, 17) / 2), rtol=1e-12)


def test_other_counts_of_heads_borrow_slopes_from_the_next_power():
    np.testing.assert_allclose(alibi_slopes(3), [2**-4, 2**-8, 2**-2], rtol=1e-12)
    np.testing.assert_allclose(alibi_slopes(6), [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3], rtol=1e-12)


@given(sizes)
def test_no_two_heads_have_the_same_slope(n_head):
    slopes = alibi_slopes(n_head)
    assert slopes.shape == (n_head,) and len(set(slopes)) == n_head and slopes.min() >= 2.0**-8 and slopes.max() < 1


@given(sizes, sizes, sizes)
def test_the_bias_falls_with_the_distance_and_the_last_query_stands_at_the_last_key(n_head, time, source):
    bias, slopes = alibi_bias(n_head, time, source), alibi_slopes(n_head)
    assert bias.shape == (n_head, time, source)
    for h, t, s in np.ndindex(bias.shape):
        assert bias[h, t, s] == -slopes[h] * abs((time - 1 - t) - (source - 1 - s))


def test_as_many_keys_as_queries_unless_told():
    np.testing.assert_array_equal(alibi_bias(2, 5), alibi_bias(2, 5, 5))


def test_attention_with_the_bias_looks_nearby():
    q = np.zeros((1, 2, 4, 3))  # no preference but for the bias
    v = np.broadcast_to(np.eye(4), (1, 2, 4, 4))
    weights = ops.attention(Tensor(q), Tensor(q), Tensor(v[..., :3]), mask=alibi_bias(2, 4), causal=True).data
    e = np.exp(-(2.0**-4) * np.arange(3, -1, -1))  # the last query of the first head
    np.testing.assert_allclose(weights[0, 0, 3], (e / e.sum())[:3], rtol=1e-12)


def test_one_row_is_what_a_cache_needs():
    np.testing.assert_array_equal(alibi_bias(4, 1, 7)[:, 0], alibi_bias(4, 7, 7)[:, -1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: sinusoidal_table(3, 5), lambda: sinusoidal_table(0, 4), lambda: sinusoidal_table(3, 0),
        lambda: alibi_slopes(0), lambda: alibi_slopes(2.0), lambda: alibi_bias(2, 0), lambda: alibi_bias(2, 3, 0),
        lambda: alibi_bias(0, 3),
    ],
)  # fmt: skip
def test_impossible_sizes_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


@pytest.mark.parametrize("scaling", [None, YaRN(4.0, 16, fast=4.0)])
@pytest.mark.parametrize("longest", [8, 9, 40])
def test_one_token_a_row_is_turned_by_where_it_stands(longest, scaling):
    """As positions (B, 1) turn it; the rows are looked up once, for queries and keys of all layers that turn alike."""
    rng = np.random.default_rng(0)
    positions = np.array([0, 7, 3, 7])
    one = OnePosition(to_device_of(positions, Tensor(np.zeros(1)).data), longest)
    for heads, size, base in ((3, 6, 30.0), (1, 6, 30.0), (2, 8, 30.0), (2, 8, 500.0)):
        x = Tensor(rng.normal(size=(4, heads, 1, size)).astype(np.float32))
        right = rotate(x, positions[:, None], base, scaling)
        found = rotate(x, one, base, scaling)
        assert found.shape == x.shape
        np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-6, atol=1e-6)
    assert one.turns(8, 500.0, scaling)[0] is one.turns(8, 500.0, scaling)[0] and len(one.found) == 3


@given(st.integers(0, 200), st.integers(0, 30), st.integers(0, 99))
def test_scores_of_turned_queries_and_keys_depend_on_the_distance_alone(shift, distance, seed):
    q, k = np.random.default_rng(seed).normal(size=(2, 1, 8))

    def score(t, s):
        turned = [
            ops.rope(Tensor(x), cos=cos, sin=sin).data
            for x, at in ((q, t), (k, s))
            for cos, sin in [ops.rope_table(np.array([at]), 8)]
        ]
        return float((turned[0] * turned[1]).sum())

    assert score(distance + shift, shift) == pytest.approx(score(distance, 0), abs=1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("length, width", [(1, 2), (40, 6), (512, 64)])
def test_the_sinusoidal_table_has_the_columns_of_marian_in_the_papers_order(length, width):
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

    theirs = MarianSinusoidalPositionalEmbedding(length, width).create_weight().numpy()  # rounded to float32 at the end
    ours = sinusoidal_table(length, width)
    np.testing.assert_allclose(np.concatenate([ours[:, 0::2], ours[:, 1::2]], 1), theirs, atol=6e-8)
    assert width == 2 or length == 1 or np.abs(ours - theirs).max() > 0.1  # the layouts differ


@pytest.mark.oracle
@pytest.mark.parametrize("n_head", range(1, 20))
def test_attention_with_our_bias_equals_attention_with_blooms(n_head):
    import torch
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    time = 9
    theirs = build_alibi_tensor(torch.ones(1, time), n_head, torch.float64).numpy()  # (H, 1, S), slope times s
    # their slopes are float32: exact for powers of two
    np.testing.assert_allclose(alibi_slopes(n_head), theirs[:, 0, 1], rtol=1e-6)
    q, k, v = np.random.default_rng(n_head).normal(size=(3, 1, n_head, time, 4))
    ours, bloom = (
        ops.attention(Tensor(q), Tensor(k), Tensor(v), mask=mask, causal=True).data
        for mask in (alibi_bias(n_head, time), theirs)
    )
    exact = n_head & (n_head - 1) == 0 and n_head <= 8
    np.testing.assert_allclose(ours, bloom, **(SINGLE_OP["float64"] if exact else {"rtol": 1e-5, "atol": 1e-6}))


@pytest.mark.oracle
@pytest.mark.parametrize("base", [100.0, 10_000.0, 500_000.0])
def test_rope_turns_as_llamas_rotary_embedding(base):
    import torch
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    config = LlamaConfig(
        hidden_size=32, num_attention_heads=4, rope_parameters={"rope_type": "default", "rope_theta": base}
    )
    positions, x = torch.arange(40)[None], torch.tensor(np.random.default_rng(0).normal(size=(1, 4, 40, 8)))
    theirs = LlamaRotaryEmbedding(config)(x, positions)  # float32 inside
    cos, sin = ops.rope_table(np.arange(40), 8, base)
    for ours, table in zip((cos, sin), theirs):
        np.testing.assert_allclose(np.concatenate([ours, ours], -1), table[0].numpy(), atol=4e-6)
    exact = [torch.tensor(np.concatenate([table, table], -1))[None] for table in (cos, sin)]
    expected, _ = apply_rotary_pos_emb(x, x, *exact)
    assert_close(ops.rope(Tensor(x.numpy()), cos=cos, sin=sin).data, expected.numpy(), SINGLE_OP)
