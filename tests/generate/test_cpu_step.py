"""The CPU's decoding step computes what the model does, for weights of any size, however its matrices lie in memory."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from tinygrad_llm import nn, no_grad
from tinygrad_llm.errors import TokenError
from tinygrad_llm.generate import Sampler, cpu_weights, generate
from tinygrad_llm.generate import cpu_step as module
from tinygrad_llm.generate.cpu_step import cpu_step
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.models import GPT, GPTConfig

VOCABULARY, BLOCK = 11, 12


def gpt(seed, scale=1.0, dtype=np.float64, **options):
    """A GPT whose attention scores are some `scale` large."""
    rng = np.random.default_rng([seed, 3])
    model = GPT(GPTConfig(VOCABULARY, BLOCK, n_layer=2, n_head=2, n_embd=8, **options), rng=rng, dtype=dtype)
    for name, p in model.named_parameters():
        p.assign(rng.normal(0, 0.5 * (scale if "q_proj" in name else 1), p.shape).astype(dtype))
    return model


def both(model, batch, lengths=None, tokens=BLOCK, seed=0):
    """Logits of every step, (T, B, V): the step's, and those of the model on the whole texts."""
    rng, step = np.random.default_rng([seed, 4]), cpu_step(model, batch)
    cache, texts = model.new_cache(batch), rng.integers(0, VOCABULARY, (batch, tokens))
    begin = 0
    if lengths is not None:  # rows of different lengths
        with no_grad():
            model.next_logits(texts[:, : max(lengths)], lengths=np.array(lengths), cache=cache)
        cache.crop(lengths)
        begin = max(lengths)
    found, right = [], []
    for _ in range(begin, tokens):
        starts = cache.lengths.copy()
        ids = texts[np.arange(batch), starts]
        found.append(step(ids, cache).copy())
        with no_grad():
            rows = [model(texts[row : row + 1, : starts[row] + 1]).data[0, -1] for row in range(batch)]
        right.append(np.stack(rows))
    return np.array(found), np.array(right), step


@pytest.mark.parametrize("batch, lengths", [(1, None), (3, None), (3, [4, 1, 2])], ids=str)
@pytest.mark.parametrize("own_cache", [0, 1 << 40], ids=["columns", "rows"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_the_step_is_the_model_by_rows_and_by_columns(monkeypatch, batch, lengths, own_cache, bias, tied):
    monkeypatch.setattr(cpu_weights, "OWN_CACHE", own_cache)
    found, right, step = both(gpt(0, bias=bias, tied=tied), batch, lengths)
    assert not step.parts[0].attention.shifted
    np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("batch, threads, parts", [(15, 4, 1), (16, 4, 2), (29, 3, 3), (29, 1, 1)])
@pytest.mark.parametrize("ragged", [False, True])
def test_rows_that_are_divided_between_threads_are_the_models(monkeypatch, batch, threads, parts, ragged):
    monkeypatch.setattr(module, "threads_here", lambda: threads)
    monkeypatch.setattr(module, "WORK_A_THREAD", 1)
    monkeypatch.setattr(module, "ROWS_A_THREAD", 8)
    lengths = [1 + row % 5 for row in range(batch)] if ragged else None
    found, right, step = both(gpt(6), batch, lengths)
    assert len(step.parts) == parts
    np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10)


def test_a_small_batch_or_a_small_model_has_one_thread(monkeypatch):
    monkeypatch.setattr(module, "threads_here", lambda: 2)
    assert len(cpu_step(gpt(6), 64).parts) == 1
    monkeypatch.setattr(module, "WORK_A_THREAD", 64 * cpu_step(gpt(6), 1).weights.work // 2)
    assert [len(cpu_step(gpt(6), batch).parts) for batch in (1, 63, 64)] == [1, 1, 2]


def test_rows_that_need_the_shift_do_not_ask_others_for_it(monkeypatch):
    monkeypatch.setattr(module, "threads_here", lambda: 2)
    monkeypatch.setattr(module, "WORK_A_THREAD", 1)
    monkeypatch.setattr(module, "ROWS_A_THREAD", 8)
    step, cache = cpu_step(gpt(7, dtype=np.float32), 16), gpt(7).new_cache(16)
    first, second = step.parts
    first.attention.shifted = True
    logits = step(np.full(16, 3), cache)
    assert not second.attention.shifted
    np.testing.assert_allclose(logits[:8], logits[8:], rtol=1e-5, atol=1e-5)


def test_what_fails_in_a_thread_is_raised_and_nothing_is_counted(monkeypatch):
    monkeypatch.setattr(module, "threads_here", lambda: 2)
    monkeypatch.setattr(module, "WORK_A_THREAD", 1)
    monkeypatch.setattr(module, "ROWS_A_THREAD", 8)
    step, cache = cpu_step(gpt(8), 16), gpt(8).new_cache(16)

    def fail():
        raise FloatingPointError("here")

    step.parts[1].calls.append(fail)
    with pytest.raises(FloatingPointError, match="here"):
        step(np.full(16, 3), cache)
    assert cache.longest == 0


def test_fewer_rows_go_on_with_the_same_weights():
    model = gpt(9)
    reader = Reader(model, [[3], [7], [5]])
    weights = reader.step.weights
    reader.feed(np.array([1, 2, 3]))
    reader.note(np.array([1, 2, 3]))
    reader.keep([2, 0])
    reader.feed(np.array([4, 4]))
    assert reader.step.weights is weights
    with no_grad():
        right = model(np.array([[5, 3, 4], [3, 1, 4]])).data[:, -1]
    np.testing.assert_allclose(reader.logits, right, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("batch, lengths", [(1, None), (3, [4, 1, 2])], ids=str)
@pytest.mark.parametrize("dtype, scale", [(np.float32, 1e3), (np.float64, 1e4)], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_scores_beyond_the_range_of_exp_are_shifted(dtype, scale, batch, lengths, seed):
    found, right, step = both(gpt(seed, scale, dtype), batch, lengths, seed=seed)
    assert step.parts[0].attention.shifted
    # at this scale a rounding of the score, some 1e3, is the error of a weight's logarithm
    tolerance = 200 * scale * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("first", [0, -1], ids=["every layer", "the last"])
@pytest.mark.parametrize("sign", [1, -1], ids=["overflow", "underflow"])
def test_sums_that_are_all_too_large_or_all_too_small_are_seen(sign, first):
    """Every score is 4 x 20 x 20 / sqrt(4) = 800, or -800: e^800 is no float32, e^-800 is 0."""
    model = gpt(1, dtype=np.float32)
    for block in model.blocks[first:]:
        a = block.attention
        for part, value in ((a.q_proj, sign * 20), (a.k_proj, 20)):
            part.weight.assign(np.zeros(part.weight.shape, np.float32))
            part.bias.assign(np.full(part.bias.shape, value, np.float32))
    found, right, step = both(model, 1)
    assert step.parts[0].attention.shifted
    np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)


def test_texts_of_one_token_are_read_as_longer_ones_and_their_ids_are_looked_at():
    model = gpt(2)
    reader = Reader(model, [[3], [7]])
    with no_grad():
        np.testing.assert_allclose(reader.logits, model(np.array([[3], [7]])).data[:, 0], rtol=1e-10, atol=1e-10)
    for unknown in (VOCABULARY, -1):
        with pytest.raises(TokenError, match="0 to 10"):
            generate(model, [[3], [unknown]], 2, Sampler(), np.random.default_rng(0))


def test_a_steps_memory_is_free_as_soon_as_nobody_has_it():
    """Not some time later, by the collector of cycles: the next text would ask the system for new pages."""
    model = gpt(3)
    gc.disable()
    try:
        step = cpu_step(model, 2)
        step(np.array([1, 2]), model.new_cache(2))
        gone = weakref.ref(step.parts[0].x)
        del step
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("part", ["blocks.0", "blocks.1.attention", "blocks.1.mlp", "blocks.0.mlp.up_proj", "norm"])
def test_a_model_with_a_part_of_another_class_has_no_step(part):
    model = gpt(4)
    owner = dict(model.named_modules())[part]
    owner.__class__ = type("Other", (type(owner),), {})
    assert cpu_step(model, 1) is None


@pytest.mark.parametrize("option", [{"rope_base": 1e4}, {"softcap": 5.0}, {"n_kv_head": 1}], ids=str)
def test_one_layer_of_attention_that_is_not_as_the_others_has_no_step(option):
    model = gpt(5)
    assert cpu_step(model, 1) is not None
    rng = np.random.default_rng(0)
    model.blocks[1].attention = nn.Attention(8, 2, causal=True, rng=rng, dtype=np.float64, **option)
    assert cpu_step(model, 1) is None
