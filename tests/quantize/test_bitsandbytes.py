"""Codes, scales and what they stand for are bitsandbytes', to the byte."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.quantize import D8, FP4, NF4, quantize, quantize_rows

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch", reason="the oracle")
functional = pytest.importorskip("bitsandbytes.functional", reason="pip install bitsandbytes: the oracle")

SHAPES = [(96, 64), (3, 7), (1, 1), (5, 130), (64,), (1000, 33), (2, 3, 64)]


def drawn(shape, seed, outliers=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(np.float32) * np.exp(rng.normal(size=shape[:1] + (1,) * (len(shape) - 1))).astype(
        "f"
    )
    if outliers:
        x[rng.random(shape) < 0.01] *= 50
    x[rng.random(shape) < 0.05] = 0
    return x.astype(np.float32)


def test_the_numbers_of_each_format_are_bitsandbytes():
    for format in (NF4, FP4):
        np.testing.assert_array_equal(format.values, functional.get_4bit_type(format.name, device="cpu").numpy())
    np.testing.assert_array_equal(D8.values, functional.create_dynamic_map().numpy())


@pytest.mark.parametrize("block_size", [32, 64, 128, 256])
@pytest.mark.parametrize("name", ["nf4", "fp4"])
@pytest.mark.parametrize("shape", SHAPES)
def test_four_bits_are_packed_and_scaled_to_the_same_bytes(shape, name, block_size):
    for seed in range(10):
        x = drawn(shape, seed, seed % 2)
        flat = torch.tensor(x).reshape(1, -1)  # 0.50 gives blocks that end within a row another block's scale
        codes, state = functional.quantize_4bit(flat, blocksize=block_size, quant_type=name)
        ours = quantize(x, name, block_size)
        np.testing.assert_array_equal(ours.codes, codes.numpy()[:, 0])
        np.testing.assert_array_equal(ours.scales, state.absmax.numpy())
        theirs = functional.dequantize_4bit(codes, state).numpy()
        np.testing.assert_array_equal(ours.dequantized(), theirs.reshape(x.shape))


@pytest.mark.parametrize("name", ["nf4", "fp4"])
def test_numbers_halfway_between_two_go_where_bitsandbytes_sends_them(name):
    format = {"nf4": NF4, "fp4": FP4}[name]
    steps = (np.nextafter(format.bounds, np.float32(-2)), format.bounds, np.nextafter(format.bounds, np.float32(2)))
    x = np.concatenate([[1], *steps, -format.values, np.zeros(2)]).astype(np.float32)
    codes, _ = functional.quantize_4bit(torch.tensor(x), blocksize=64, quant_type=name)
    np.testing.assert_array_equal(quantize(x, name, 64).codes, codes.numpy()[:, 0])


def eight_bits(x, block_size):
    """bitsandbytes' nearest codes: of float32 its CPU kernel finds some that are only near, of float64 the nearest."""
    wide, code = torch.tensor(x, dtype=torch.float64), torch.tensor(D8.values)
    codes, scales = torch.ops.bitsandbytes.quantize_blockwise.default(wide, code, block_size)
    numbers = functional.dequantize_blockwise(codes, absmax=scales, code=code, blocksize=block_size)
    return codes.numpy().reshape(-1), scales.numpy(), numbers.numpy()


@pytest.mark.parametrize("shape", [(64, 64), (640, 300), (7, 90)])
def test_scales_of_scales_are_the_same_given_their_mean(shape):
    for seed in range(10):
        x = drawn(shape, seed)
        plain, double = quantize(x), quantize(x, double=True)
        _, state = functional.quantize_4bit(torch.tensor(x), blocksize=64, quant_type="nf4", compress_statistics=True)
        np.testing.assert_array_equal(double.codes, plain.codes)
        np.testing.assert_allclose(double.scales.offset, state.offset.numpy(), rtol=2e-7)  # a sum in another order
        codes, scales, numbers = eight_bits(plain.scales - double.scales.offset, 256)
        np.testing.assert_array_equal(double.scales.codes, codes)
        np.testing.assert_array_equal(double.scales.scales, scales)
        np.testing.assert_array_equal(double.scales.numbers(), numbers + double.scales.offset)


@pytest.mark.parametrize("shape", SHAPES[:5])
def test_eight_bits_by_row_are_the_same(shape):
    for seed in range(10):
        x = drawn(shape, seed, seed % 2)
        x = x.reshape(-1, x.shape[-1])
        codes, scales, _ = functional.int8_vectorwise_quant(torch.tensor(x))
        ours = quantize_rows(x)
        np.testing.assert_array_equal(ours.codes, codes.numpy())
        np.testing.assert_array_equal(ours.scales, scales.numpy())


@pytest.mark.parametrize("block_size", [64, 256])
def test_eight_dynamic_bits_are_the_same(block_size):
    for seed in range(10):
        x = drawn((37, 53), seed)
        codes, scales, numbers = eight_bits(x, block_size)
        ours = quantize(x, "d8", block_size)
        np.testing.assert_array_equal(ours.codes, codes)
        np.testing.assert_array_equal(ours.scales, scales)
        np.testing.assert_array_equal(ours.dequantized(), numbers)
