"""The kernel that draws tokens, beside the sampler on the host."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu.build import available, compile_text

from tinygrad_llm.backend.kernels import source
from tinygrad_llm.generate.sampling import Sampler

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")


def draw(x: np.ndarray, uniform: np.ndarray, sampler: Sampler, block: int = 64) -> list[int]:
    tokens, weights = np.full(len(x), -7, np.int64), np.full(x.shape, np.nan)
    options = np.float64(sampler.temperature), np.int32(sampler.top_k or 0), np.float64(sampler.top_p)
    args = x, weights, tokens, np.int32(x.shape[1]), *options, np.int32(sampler.greedy), uniform
    compile_text(source("sample")).launch("draw", len(x), block, args)
    return tokens.tolist()


def random_sampler(rng: np.random.Generator, width: int) -> Sampler:
    top_k = int(rng.integers(1, width + 2)) if rng.random() < 0.6 else None
    top_p = float(rng.random()) if rng.random() < 0.6 else 1.0
    return Sampler(float(rng.uniform(0.05, 3)), top_k, top_p)


@pytest.mark.parametrize("seed", range(40))
def test_the_kernel_draws_the_same_tokens_as_the_sampler(seed):
    """Rows of normal numbers, of few different ones, and of a few that are possible at all."""
    rng = np.random.default_rng(seed)
    rows, width = 20, int(rng.integers(1, 150))
    sampler, x = random_sampler(rng, width), rng.normal(0, 3, (rows, width)).astype(np.float32)
    x[::3] = np.round(x[::3])
    x[1::3][rng.random(x[1::3].shape) < 0.7] = -np.inf
    x[:, 0] = np.where(np.isfinite(x.max(-1)), x[:, 0], 0)
    uniform = rng.random(rows)
    expected = sampler.pick(x, uniform).tolist()
    assert draw(x, uniform, sampler) == expected


@pytest.mark.parametrize("sampler", [Sampler(0.7), Sampler(top_k=4), Sampler(top_p=0.8), Sampler(2.0, 9, 0.9)])
def test_each_token_is_drawn_as_often_as_its_probability_says(sampler):
    rng, n = np.random.default_rng(1), 1000
    logits = rng.normal(0, 1.5, 12).astype(np.float32)
    uniform = (np.arange(n) + 0.5) / n  # all of [0, 1), evenly
    shares = np.bincount(draw(np.tile(logits, (n, 1)), uniform, sampler, 32), minlength=12) / n
    np.testing.assert_allclose(shares, sampler.probabilities(logits), atol=1.01 / n)


def test_of_equal_logits_the_smallest_ids_are_kept():
    x = np.zeros((30, 9), np.float32)
    x[:, 2::3] = -0.0  # as large as 0
    uniform = np.arange(30) / 30
    assert set(draw(x, uniform, Sampler(top_k=4))) == {0, 1, 2, 3}
    assert set(draw(x, uniform, Sampler(top_p=0.5))) == {0, 1, 2, 3, 4}  # 4/9 are not yet half
    assert set(draw(x, uniform, Sampler(greedy=True))) == {0}


def test_a_sum_that_equals_the_target_is_not_yet_above_it():
    """As searchsorted with side="right"; a warp's part ends at 32."""
    x, uniform = np.zeros((64, 64), np.float32), np.arange(64) / 64
    assert draw(x, uniform, Sampler()) == list(range(64))


def test_any_number_of_threads_draws_the_same():
    rng = np.random.default_rng(2)
    x, uniform = rng.normal(0, 2, (6, 700)).astype(np.float32), rng.random(6)
    sampler = Sampler(1.5, 300, 0.95)
    tokens = {block: draw(x, uniform, sampler, block) for block in (32, 96, 1024)}
    assert tokens[32] == tokens[96] == tokens[1024]
