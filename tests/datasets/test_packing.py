"""Texts packed side by side are to the loss and to every gradient what they are in rows of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.packing import pack, padded_batch, shifted, text_mask
from tinygrad_llm.errors import DataError
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.ops import IGNORE

VOCABULARY, BLOCK = 13, 12


def examples(seed, count=9, most=BLOCK + 1):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, most + 1, count)
    return [(rng.integers(0, VOCABULARY, n), rng.random(n) < 0.6) for n in sizes]


def model(kind, dtype=np.float64):
    if kind == "gpt":
        return GPT(GPTConfig(VOCABULARY, BLOCK, 2, 2, 8), rng=np.random.default_rng(0), dtype=dtype)
    config = LlamaConfig(VOCABULARY, BLOCK, 2, 4, 8, 12, n_kv_head=2, window=5 if kind == "windowed" else None)
    return Llama(config, rng=np.random.default_rng(0), dtype=dtype)


@pytest.mark.parametrize("kind", ["gpt", "llama", "windowed"])
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradients_are_those_of_the_texts_by_themselves(kind, seed):
    texts, network = examples(seed), model(kind)
    packed, padded = pack(texts, BLOCK, 0), padded_batch(texts, 0)
    assert len(packed["tokens"]) < len(padded["tokens"])
    found = []
    for batch in (packed, padded):
        loss = network.loss(batch)
        loss.backward()
        found.append((loss.item(), [p.grad for p in network.parameters()]))
        for p in network.parameters():
            p.grad = None
    count = sum(int((shifted(text)[1] != IGNORE).sum()) for text in texts)
    one_by_one = sum(network.loss(padded_batch([text], 0), divisor=count).item() for text in texts)
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-10) and found[0][0] == pytest.approx(one_by_one, rel=1e-10)
    for a, b in zip(found[0][1], found[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@given(st.integers(0, 10**6), st.integers(1, 30))
def test_every_text_stands_in_one_row_once(seed, count):
    texts = examples(seed, count)
    packed = pack(texts, BLOCK, VOCABULARY)
    found = []
    for row in range(len(packed["tokens"])):
        starts = np.flatnonzero(packed["positions"][row] == 0)
        for start, stop in zip(starts, [*starts[1:], BLOCK]):
            tokens = packed["tokens"][row, start:stop]
            if tokens[0] != VOCABULARY:
                found.append((tuple(tokens), tuple(packed["targets"][row, start:stop])))
                inside = np.zeros(BLOCK, bool)
                inside[start:stop] = True
                assert (packed["mask"][row, 0, start:stop] == inside).all()
                assert (packed["positions"][row, start:stop] == np.arange(stop - start)).all()
            else:
                assert stop - start == 1 and packed["targets"][row, start] == IGNORE
    assert sorted(found) == sorted(tuple(map(tuple, shifted(text))) for text in texts)


def test_targets_are_the_next_tokens_that_are_learned():
    tokens, targets = shifted((np.array([5, 6, 7, 8]), np.array([True, False, True, True])))
    assert tokens.tolist() == [5, 6, 7] and targets.tolist() == [IGNORE, 7, 8]


def test_the_longest_come_first_and_fill_the_first_row_with_room():
    texts = [(np.full(n + 1, n), np.ones(n + 1, bool)) for n in (3, 8, 4, 12, 5, 4)]
    packed = pack(texts, 12, 0)
    assert packed["tokens"].tolist() == [[12] * 12, [8] * 8 + [4] * 4, [5] * 5 + [4] * 4 + [3] * 3]


def test_a_mask_is_true_within_a_text():
    assert text_mask(np.array([[1, 1, 2]]))[0, 0].tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]


@pytest.mark.parametrize("size", [0, 1, BLOCK + 2])
def test_a_text_that_does_not_fit_is_refused_by_its_number(size):
    with pytest.raises(DataError, match=f"example 1.*{BLOCK + 1}"):
        pack([*examples(0, 1), (np.zeros(size, np.int64), np.ones(size, bool))], BLOCK, 0)
