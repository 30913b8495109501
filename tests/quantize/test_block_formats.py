"""Formats and blocks: the published numbers, the nearest code by trying all, packing, scales, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DtypeError
from tinygrad_llm.quantize import D8, FORMATS, FP4, INT4, INT8, NF4, Scales, quantize, quantize_rows

PUBLISHED_NF4 = [  # Dettmers et al., 2023, appendix E
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]  # fmt: skip


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_nf4_has_the_published_numbers():
    np.testing.assert_array_equal(NF4.values, np.float32(PUBLISHED_NF4))


def test_each_format_has_0_and_is_as_wide_as_it_says():
    for format in FORMATS.values():
        assert 0 in format.values and format.values.max() == 1 and format.values.dtype == np.float32
        assert len(format.values) <= 2**format.bits and np.abs(format.values).max() == 1
    assert set(FP4.values * 12) == {s * v for s in (1, -1) for v in (0, 0.0625, 2, 3, 4, 6, 8, 12)}
    np.testing.assert_allclose(INT4.values * 7, np.arange(-7, 8), atol=1e-6)
    np.testing.assert_allclose(INT8.values * 127, np.arange(-127, 128), atol=1e-5)
    assert len(set(D8.values)) == 256 and np.isclose(D8.values[D8.values > 0].min(), 0.55e-6)  # middle of 0.1 … 1


@given(
    name=st.sampled_from(sorted(FORMATS)),
    size=st.integers(1, 300),
    block_size=st.sampled_from([2, 6, 64]),
    seed=st.integers(0, 2**20),
)
def test_each_number_gets_the_nearest_code_of_its_block(name, size, block_size, seed):
    x, format = numbers(size, seed=seed), FORMATS[name]
    found = quantize(x, name, block_size)
    for start in range(0, size, block_size):
        block = x[start : start + block_size]
        scale = np.abs(block).max()
        nearest = np.abs(block[:, None] - scale * format.values).min(1)
        got = found.dequantized()[start : start + block_size]
        np.testing.assert_allclose(np.abs(block - got), nearest, atol=1e-6 * scale)
        assert name == "d8" or np.abs(got).max() == scale  # the largest is kept as it is; D8 has no -1


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_a_format_can_say_comes_back_to_the_bit(name):
    values = FORMATS[name].values
    np.testing.assert_array_equal(quantize(0.5 * values, name, 256).dequantized(), 0.5 * values)


def test_two_codes_share_a_byte_the_earlier_above():
    found = quantize(np.float32([1, 0, -1]), "nf4", 64)
    assert found.codes.tolist() == [15 << 4 | 7, 0 << 4 | 7] and found.scales.tolist() == [1]
    assert quantize(np.float32([1, 0, -1]), "int8", 64).codes.tolist() == [254, 127, 0]


def test_a_block_of_zeros_stays_one_and_shapes_and_bytes_are_kept():
    assert not quantize(np.zeros((3, 50), np.float32)).dequantized().any()
    found = quantize(numbers(32, 64).astype(np.float64), double=True)
    assert found.dequantized().shape == (32, 64) and found.dequantized().dtype == np.float32
    assert found.nbytes == 32 * 64 // 2 + 32 + 4 + 4 and quantize(numbers(32, 64)).nbytes == 1024 + 4 * 32
    assert quantize(numbers(32, 64), "int8").nbytes == 2048 + 4 * 32


def test_scales_are_found_again_to_a_percent_of_their_spread():
    x = numbers(300, 64) * np.exp(numbers(300, 1, seed=1))
    plain, double = quantize(x), quantize(x, double=True)
    assert isinstance(double.scales, Scales) and (double.codes == plain.codes).all()
    off = np.abs(double.scales.numbers() - plain.scales)
    assert 0 < off.max() < 0.01 * np.abs(plain.scales - plain.scales.mean()).max()
    assert double.scales.scales.shape == (2,) and math.isclose(double.scales.offset, plain.scales.mean(), rel_tol=1e-6)


def test_of_normal_weights_nf4_loses_least_of_the_formats_with_four_bits():
    """QLoRA's claim, section 4.3, as a mean square; of even numbers INT4 does."""
    x, even = numbers(512, 64), np.random.default_rng(0).uniform(-1, 1, (512, 64)).astype(np.float32)
    lost = {name: np.square(quantize(x, name).dequantized() - x).mean() for name in ("nf4", "fp4", "int4")}
    assert lost["nf4"] < lost["int4"] < lost["fp4"]
    flat = {name: np.square(quantize(even, name).dequantized() - even).mean() for name in ("nf4", "int4")}
    assert flat["int4"] < flat["nf4"]


def test_rows_in_eight_bits_are_the_nearest_whole_steps():
    x = numbers(5, 40)
    x[3] = 0
    found = quantize_rows(x)
    steps = np.abs(x).max(1, keepdims=True) / 127
    assert found.codes.dtype == np.int8 and found.codes[0, np.abs(x[0]).argmax()] in (127, -127)
    np.testing.assert_array_equal(found.codes, np.rint(np.divide(x, steps, out=np.zeros_like(x), where=steps > 0)))
    np.testing.assert_allclose(found.dequantized(), x, atol=steps.max() / 2 * 1.001)
    assert quantize_rows(np.float32([[127, 0.5, 1.5]])).codes.tolist() == [[127, 0, 2]]


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: quantize(numbers(4), "nf5"), ArgumentError, "format: expected nf4 or fp4 or int4 or int8 or d8, got 'nf5'"),
    (lambda: quantize(numbers(4), block_size=63), ArgumentError, "block_size: expected an even number"),
    (lambda: quantize(numbers(4), block_size=0), ArgumentError, "block_size: expected a whole number of at least 2"),
    (lambda: quantize(np.arange(4)), DtypeError, "floats"), (lambda: quantize_rows(np.eye(2, dtype=int)), DtypeError, "floats"),
    (lambda: quantize(np.float32([1, np.nan])), ArgumentError, "finite"), (lambda: quantize(np.float32([np.inf])), ArgumentError, "finite"),
    (lambda: quantize(np.zeros((0, 3), np.float32)), ArgumentError, "at least one number"), (lambda: quantize_rows(numbers(4)), ArgumentError, r"\(R, I\)"),
    (lambda: quantize_rows(np.float32([[1], [np.nan]])), ArgumentError, "finite"),
])  # fmt: skip
def test_what_has_no_codes_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
