"""Random bits on the GPU: the generator's published answers, and that a draw depends on what it is for alone."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu.build import available, compile_text
from kernel_cases import DTYPES

from tinygrad_llm.backend.kernels import FOLDER, source

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")

ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
"""Counter, key and result of philox4x32-10, from kat_vectors of Random123, its authors' library."""

ONE_CALL = """
extern "C" __global__ void one_call(const unsigned int* counter, const unsigned int* key, unsigned int* out) {
  if (threadIdx.x != 0) return;
  Bits bits = philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  for (int i = 0; i < 4; i++) out[i] = bits.word[i];
}
"""


def words(text: str) -> np.ndarray:
    return np.array([int(word, 16) for word in text.split()], np.uint32)


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 a second time, in whole numbers of Python."""
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [second >> 32 ^ counter[1] ^ key[0], second, first >> 32 ^ counter[3] ^ key[1], first]
        counter = [word % 2**32 for word in counter]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


@pytest.mark.parametrize("counter, key, answer", ANSWERS)
def test_philox_gives_its_authors_answers(counter, key, answer):
    out = np.zeros(4, np.uint32)
    common = (FOLDER / "common.cuh").read_text(encoding="utf-8")
    compile_text(common + ONE_CALL).launch("one_call", 1, 32, (words(counter), words(key), out))
    assert out.tolist() == words(answer).tolist()
    assert philox(words(counter).tolist(), words(key).tolist()) == words(answer).tolist()


def uniform(shape: tuple[int, int], seed: int = 5, step: int = 0, call: int = 0, first_example: int = 0) -> np.ndarray:
    u = np.full(shape, np.nan, np.float32)
    counter = np.array([seed, step], np.uint64)
    args = u, np.int64(u.size), np.int64(shape[1]), counter, np.int32(call), np.int32(first_example)
    compile_text(source("dropout")).launch("uniform", 2, 64, args)
    return u


def dropped(x: np.ndarray, p: float, seed: int = 5, step: int = 0, call: int = 0, first_example: int = 0) -> np.ndarray:
    y = np.zeros_like(x)
    args = x, y, np.int64(x.size), np.int64(x.shape[1]), np.float32(p), np.array([seed, step], np.uint64)
    name = f"dropout_{x.dtype.name}"
    compile_text(source("dropout")).launch(name, 2, 64, (*args, np.int32(call), np.int32(first_example)))
    return y


def test_a_number_is_24_bits_of_the_word_that_seed_step_call_example_and_place_name():
    seed, step, call, first_example = 0x0123456789ABCDEF, 7, 3, 40
    u = uniform((2, 10), seed, step, call, first_example)
    key = [seed % 2**32, seed >> 32 ^ step]
    for example in range(2):
        for i in range(10):
            word = philox([i // 4, call, first_example + example, 0], key)[i % 4]
            assert u[example, i] == (word >> 8) / 2**24


@pytest.mark.parametrize("changed", [{"seed": 6}, {"seed": 5 + 2**32}, {"step": 1}, {"call": 1}, {"first_example": 2}])
def test_another_seed_step_call_or_example_draws_other_numbers(changed):
    assert (uniform((2, 50)) != uniform((2, 50), **changed)).mean() > 0.99


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [64, 9])
def test_the_parts_of_a_batch_drop_what_the_whole_batch_drops(dtype, width):
    x = np.ones((6, width), DTYPES[dtype])
    whole = dropped(x, 0.4, first_example=10)
    parts = [dropped(x[:4].copy(), 0.4, first_example=10), dropped(x[4:].copy(), 0.4, first_example=14)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_mask_depends_neither_on_the_dtype_nor_on_the_alignment():
    if "bfloat16" not in DTYPES:
        pytest.skip("bfloat16 needs ml_dtypes")
    masks = []
    for dtype in DTYPES.values():
        for shift in (0, 1):
            x = np.ones(3 * 64 + 1, dtype)[shift : shift + 3 * 64].reshape(3, 64)
            masks.append(dropped(x, 0.5) != 0)
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])


def test_a_number_that_equals_p_is_kept():
    u = uniform((1, 8))
    for i in range(8):
        assert dropped(np.ones((1, 8), np.float32), float(u[0, i]))[0, i] != 0


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1 - 2**-24])
def test_the_share_that_is_dropped_is_p(p):
    n = 20_000
    y = dropped(np.ones((4, n // 4), np.float32), p)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)  # p itself is rounded to a float
    share = (y == 0).mean()
    assert abs(share - p) <= 4 * (p * (1 - p) / n) ** 0.5


def test_what_is_not_a_number_stays_so_that_it_is_found():
    assert np.isnan(dropped(np.full((2, 40), np.nan, np.float32), 0.5)).all()
