"""The CPU's decoding step is the model's own forward pass, whichever family of decoders the model is of."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from decoder_families import FAMILIES, VOCABULARY, decoder, dynamic

from tinygrad_llm import no_grad
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.generate import cpu_step as module
from tinygrad_llm.generate import cpu_weights
from tinygrad_llm.generate.cpu_step import cpu_step
from tinygrad_llm.generate.cpu_turns import Turns
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.nn import DynamicScaling, rotate

EQUAL = {"rtol": 1e-10, "atol": 1e-10}
every_family = pytest.mark.parametrize("family", FAMILIES)


def check(model, lengths, seed=0, capacity=2, **tolerance):
    """Prompts of these lengths, then a token at a time until the longest text fills the block: after each the step's
    logits are those of the whole texts, a row at a time and without a cache.  -> the step"""
    rng, batch, block = np.random.default_rng([seed, 22]), len(lengths), model.block_size
    texts, step = rng.integers(0, VOCABULARY, (batch, block)), cpu_step(model, batch)
    cache = model.new_cache(batch, capacity)
    if max(lengths):
        with no_grad():
            model.next_logits(texts[:, : max(lengths)], lengths=np.maximum(lengths, 1), cache=cache)
        cache.crop(lengths)
    for _ in range(block - max(lengths)):
        starts = cache.lengths.copy()
        found = step(texts[np.arange(batch), starts], cache)
        for row, start in enumerate(starts):
            with no_grad():
                right = model(texts[row : row + 1, : start + 1]).data[0, -1]
            np.testing.assert_allclose(found[row], right, **(tolerance or EQUAL), err_msg=f"row {row}, {start} before")
    return step


@pytest.mark.parametrize("seeds", [range(start, start + 8) for start in range(0, 32, 8)], ids=str)
@every_family
def test_a_token_at_a_time_is_the_whole_text(family, seeds):
    """Two hundred and fifty-six models; prompts of many lengths, or of one; a cache that has to grow."""
    for seed in seeds:
        rng = np.random.default_rng([seed, 23])
        model = decoder(family, seed)
        lengths = rng.integers(0, 7, rng.integers(1, 5)) if seed % 2 else np.full(rng.integers(1, 4), rng.integers(7))
        check(model, lengths, seed)


@pytest.mark.parametrize("batch", [1, 2])
@every_family
def test_wherever_the_prompt_ends_the_continuation_is_the_same(family, batch):
    for length in range(10):
        check(decoder(family, 100, block_size=10), [length, max(0, length - 3)][:batch], capacity=1 + length % 4)


@pytest.mark.parametrize("lengths", [[5], [5, 2, 4]], ids=str)
@every_family
def test_the_step_and_the_model_may_take_turns_with_one_cache(family, lengths):
    """Two tokens each: what the one has written, or a window has dropped, is as the other has it, too."""
    changes = {"window": 2} if FAMILIES[family].get("window") else {}
    model, batch = decoder(family, 112, block_size=18, **changes), len(lengths)
    texts = np.random.default_rng(1).integers(0, VOCABULARY, (batch, 18))
    step, cache = cpu_step(model, batch), model.new_cache(batch, 4)
    with no_grad():
        model.next_logits(texts[:, :5], lengths=lengths, cache=cache)
    cache.crop(lengths)
    for number in range(13):
        starts = cache.lengths.copy()
        ids = texts[np.arange(batch), starts]
        with no_grad():
            found = model.next_logits(ids[:, None], cache=cache).data if number // 2 % 2 else step(ids, cache)
            for row, start in enumerate(starts):
                right = model(texts[row : row + 1, : start + 1]).data[0, -1]
                np.testing.assert_allclose(found[row], right, **EQUAL)
    if cache.window:
        assert cache.start.min() > 0 and cache.layers[0].keys.shape[2] <= 8  # for eighteen tokens


@pytest.mark.parametrize("own_cache", [0, 1 << 40], ids=["columns", "rows"])
@every_family
def test_however_matrices_lie_in_memory(monkeypatch, family, own_cache):
    monkeypatch.setattr(cpu_weights, "OWN_CACHE", own_cache)
    check(decoder(family, 101), [3])


@pytest.mark.parametrize("ragged", [False, True])
@every_family
def test_rows_are_divided_between_threads(monkeypatch, family, ragged):
    monkeypatch.setattr(module, "threads_here", lambda: 3)
    monkeypatch.setattr(module, "WORK_A_THREAD", 1)
    monkeypatch.setattr(module, "ROWS_A_THREAD", 2)
    step = check(decoder(family, 102, block_size=9), [1 + row % 4 if ragged else 2 for row in range(7)])
    assert len(step.parts) == 3


@every_family
def test_float32_is_as_good_as_float32(family):
    check(decoder(family, 103, np.float32), [4, 1, 2], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("lengths", [[2], [4, 1, 2]], ids=str)
@pytest.mark.parametrize("family", ["gpt", "llama", "mistral", "qwen2 with windows"])
def test_scores_beyond_the_range_of_exp_are_shifted(family, lengths):
    model = decoder(family, 104)
    for block in model.blocks:
        block.attention.q_proj.weight.assign(1e4 * block.attention.q_proj.weight.data)
    step = check(model, lengths, rtol=1e-8, atol=1e-8)  # a rounding of the score, some 1e4, is that of a logarithm
    assert step.parts[0].attention.shifted


@pytest.mark.parametrize("original", [1, 4, 7, 40])
@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_frequencies_that_change_with_the_text_are_those_of_its_longest_row(family, original):
    """Beyond the trained length the keys in a cache stay as they were turned: the step is the model with a cache."""
    model = dynamic(family, 105, original, block_size=12)
    texts = np.random.default_rng(0).integers(0, VOCABULARY, (3, 12))
    lengths, caches = [3, 1, 2], [model.new_cache(3) for _ in range(2)]
    with no_grad():
        for cache in caches:
            model.next_logits(texts[:, :3], lengths=lengths, cache=cache)
            cache.crop(lengths)
    step = cpu_step(model, 3)
    for _ in range(9):
        ids = texts[np.arange(3), caches[0].lengths]
        found = step(ids, caches[0])
        with no_grad():
            np.testing.assert_allclose(found, model.next_logits(ids[:, None], cache=caches[1]).data, **EQUAL)


@pytest.mark.parametrize("scaling", [None, DynamicScaling(2.0, 5)])
def test_a_turn_is_rope_whichever_position_comes_first(scaling):
    turns, x = Turns(6, 30.0, scaling, np.dtype(np.float64)), np.random.default_rng(0).normal(size=(2, 3, 1, 6))
    for positions in ([0, 0], [3, 1], [4, 4], [9, 2], [20, 21], [1, 0]):
        out = np.empty((2, 1, 3), np.complex128)
        turns.put(np.array(positions), max(positions) + 1, out)
        turned = (x[..., 0, :3] + 1j * x[..., 0, 3:]) * out
        right = rotate(Tensor(x), np.array(positions)[:, None], 30.0, scaling).data[..., 0, :]
        np.testing.assert_allclose(np.concatenate([turned.real, turned.imag], -1), right, **EQUAL)


@pytest.mark.parametrize("chosen", [1, 2, 4])
@pytest.mark.parametrize("rows", [1, 2, 9])
def test_some_experts_have_no_token_and_some_have_all(chosen, rows):
    model = decoder("mixtral", 106, n_experts=4, experts_per_token=chosen)
    router = model.blocks[0].mlp.router.weight
    router.assign(np.where(np.arange(4)[:, None] == 2, 0.0, router.data))
    check(model, [1 + row % 3 for row in range(rows)])


@pytest.mark.parametrize("rows", [1, 5])
def test_of_experts_that_are_as_likely_the_first_are_chosen(rows):
    model = decoder("mixtral", 107, n_experts=5, experts_per_token=2)
    for block in model.blocks:
        block.mlp.router.weight.assign(np.zeros(block.mlp.router.weight.shape))
    check(model, [2] * rows)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_router_that_is_no_number_makes_logits_that_are_none(rows):
    model = decoder("mixtral", 108, n_experts=5, experts_per_token=2)
    router = model.blocks[-1].mlp.router.weight
    router.assign(np.where(np.arange(5)[:, None] == 3, np.nan, router.data))
    assert np.isnan(cpu_step(model, rows)(np.ones(rows, int), model.new_cache(rows))).all()


@every_family
def test_rows_are_kept_and_the_longest_text_goes_on_in_the_middle_of_the_block(family):
    """Reader's own operations: rows are left out and doubled, full blocks are refilled; windows have dropped much."""
    model = decoder(family, 109, block_size=8)
    reader, plain = Reader(model, [[1, 2, 3], [4], [5, 6]]), Reader(model, [[1, 2, 3], [4], [5, 6]])
    assert reader.step is not None
    plain.step = None
    for number in range(20):
        if number in (3, 9, 15):
            kept = {3: [2, 0, 2], 9: [1, 2], 15: [0, 1, 1]}[number]
            reader.keep(kept)
            plain.keep(kept)
            plain.step = None
        ids = np.random.default_rng(number).integers(0, VOCABULARY, len(reader.texts))
        for one in (reader, plain):
            one.feed(ids)
            one.note(ids)
        np.testing.assert_allclose(reader.logits, plain.logits, **EQUAL)


@every_family
def test_a_steps_memory_is_free_as_soon_as_nobody_has_it(family):
    model = decoder(family, 110)
    gc.disable()
    try:
        step = cpu_step(model, 2)
        step(np.array([1, 2]), model.new_cache(2))
        gone = weakref.ref(step.parts[0].x)
        del step
        assert gone() is None
    finally:
        gc.enable()


@every_family
def test_whoever_changes_the_weights_is_heard_by_the_next_text(family):
    model = decoder(family, 111)
    step = cpu_step(model, 1)
    before = step(np.array([3]), model.new_cache(1)).copy()
    for p in model.parameters():
        p.assign(p.data + 1)
    np.testing.assert_array_equal(step(np.array([3]), model.new_cache(1)), before)
    assert np.abs(cpu_step(model, 1)(np.array([3]), model.new_cache(1)) - before).max() > 1e-3
