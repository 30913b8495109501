"""Every option of a model's configuration, batch and call reaches what is computed."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import VOCABULARY, encoder_decoder, language_model

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.models import GPT, RNNLM, EncoderDecoder, EncoderDecoderConfig, GPTConfig, RNNLMConfig
from tinygrad_llm.models.base import last_of, position_rows

RNG = np.random.default_rng(0)
SOURCES = np.array([[3, 4, 5, 2], [2, 6, 1, 1], [5, 1, 1, 1]])
TOKENS, TARGETS = RNG.integers(0, VOCABULARY, (3, 6)), RNG.integers(0, VOCABULARY, (3, 6))
BATCH = {"tokens": TOKENS, "targets": TARGETS}
KINDS = ("gpt", "untied", "windowed", "llama", "rnn", "lstm", "decoder")


def make(kind):
    return encoder_decoder(4).given(SOURCES) if kind == "decoder" else language_model(kind, 4)


@pytest.mark.parametrize("divisor", [0.4, 2.5, 1e6, np.float64(3.7), 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_divisor_is_any_number(kind, divisor):
    lm = make(kind)
    whole = -lm.token_log_probs(BATCH).data.sum().item()
    assert lm.loss(BATCH, divisor=divisor).item() == pytest.approx(whole / divisor, rel=1e-12)
    batch = BATCH | {"source": SOURCES}
    if kind == "decoder":
        assert lm.model.loss(batch, divisor=divisor).item() == pytest.approx(whole / divisor, rel=1e-12)


def test_the_lengths_of_a_batch_are_those_of_its_sources():
    model, batch = encoder_decoder(4), BATCH | {"source": SOURCES}
    losses = set()
    for lengths in (np.array([4, 2, 1]), np.array([4, 4, 4]), np.array([1, 2, 3])):
        expected = model.given(SOURCES, lengths).loss(BATCH).item()
        assert model.loss(batch | {"lengths": lengths}).item() == pytest.approx(expected, rel=1e-12)
        losses.add(round(expected, 6))
    assert len(losses) == 3
    assert model.loss(batch).item() == pytest.approx(model.given(SOURCES, [4, 2, 1]).loss(BATCH).item(), rel=1e-12)


def test_a_pad_token_within_a_text_does_not_end_it():
    tokens = np.array([[3, 1, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 2, 5, 9]])
    assert last_of(tokens, 1).tolist() == [3, 0, 5]
    assert encoder_decoder(4).source_lengths(np.array([[3, 1, 4, 1]])).tolist() == [3]


@pytest.mark.parametrize("kind", ["gpt", "decoder"])
def test_a_cache_cannot_be_read_past_the_block(kind):
    lm = make(kind)
    with no_grad():
        lm(np.zeros((3, 20), int), cache=(cache := lm.new_cache(3)))
        with pytest.raises(ShapeError, match="block_size = 24"):
            lm(np.zeros((3, 5), int), cache=cache)
        lm(np.zeros((3, 4), int), cache=cache)
        with pytest.raises(ShapeError, match="block_size = 24"):
            lm(np.zeros((3, 1), int), cache=cache)
    assert cache.lengths.tolist() == [24, 24, 24]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_cache_has_the_models_layers_and_the_room_that_was_asked_for(kind):
    lm = make(kind)
    cache = lm.new_cache(5, 3)
    assert cache.lengths.tolist() == [0] * 5
    assert len(cache.states if kind in ("rnn", "lstm") else cache.layers) == 2
    if kind not in ("rnn", "lstm"):
        assert cache.capacity == 3 and lm.new_cache(1, 10**9).capacity <= max(24, 10**9 * (lm.block_size is None))


def test_an_encoder_and_a_decoder_have_layers_of_their_own_number():
    model = EncoderDecoder(EncoderDecoderConfig(9, 8, 3, 1, 2, 4, 6), rng=np.random.default_rng(0))
    assert (len(model.encoder.blocks), len(model.decoder.blocks)) == (3, 1)
    cache = model.given(np.array([[3]])).new_cache(1)
    assert len(cache.layers) == len(cache.cross) == 1


@pytest.mark.parametrize("n_layer", [1, 2, 3])
@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_recurrence_has_as_many_layers_as_were_asked_for(kind, n_layer):
    lm = RNNLM(RNNLMConfig(9, 4, 6, n_layer, kind), rng=np.random.default_rng(0))
    assert len(lm.layers) == n_layer == len(lm.new_cache(1).states)
    assert [layer.weight_ih.shape[1] for layer in lm.layers] == [4, *[6] * (n_layer - 1)]
    assert lm.hidden(np.array([[1, 2]])).shape == (1, 2, 6)


def test_the_picture_of_cross_attention_has_no_padding_in_any_layer():
    model = encoder_decoder(4)
    found = model.cross_attention_weights(SOURCES, TOKENS)
    assert found.shape == (2, 3, 2, 6, 4)
    for row, length in enumerate([4, 2, 1]):
        alone = model.cross_attention_weights(SOURCES[row : row + 1, :length], TOKENS[row : row + 1])
        np.testing.assert_allclose(found[:, row, :, :, :length], alone[:, 0], rtol=1e-10, atol=1e-12)
        assert not found[:, row, :, :, length:].any()


# -- first weights ---------------------------------------------------------------------------------------------------


def gpt(**options):
    return GPT(GPTConfig(90, 60, 3, 2, 48, **{k: v for k, v in options.items() if k != "dtype"}),
               rng=np.random.default_rng(0), dtype=options.get("dtype", np.float32))  # fmt: skip


def bart(dtype=np.float32, **options):
    config = EncoderDecoderConfig(90, 60, 1, 2, 2, 48, 64, **options)
    return EncoderDecoder(config, rng=np.random.default_rng(0), dtype=dtype)


def rnn(dtype=np.float32, kind="lstm"):
    return RNNLM(RNNLMConfig(90, 40, 48, 2, kind), rng=np.random.default_rng(0), dtype=dtype)


@pytest.mark.parametrize("tied", [True, False])
def test_gpts_matrices_begin_as_gpt_2s(tied):
    for path, p in gpt(tied=tied).named_parameters():
        residual = path.endswith(("o_proj.weight", "down_proj.weight"))
        if p.ndim == 2:
            assert p.data.std() == pytest.approx(0.02 / np.sqrt(6) if residual else 0.02, rel=0.06), path
        else:
            assert (p.data == (0 if path.endswith("bias") else 1)).all(), path


@pytest.mark.parametrize("std", [0.02, 0.3])
def test_every_matrix_of_an_encoder_decoder_begins_with_init_std(std):
    for path, p in bart(init_std=std).named_state():
        if path == "logits_bias" or p.ndim == 1:
            assert (p.data == (1 if "norm" in path and path.endswith("weight") else 0)).all(), path
        else:
            assert p.data.std() == pytest.approx(std, rel=0.06), path


def test_a_recurrences_matrices_begin_with_one_over_the_root_of_their_inputs():
    lm = rnn()
    assert lm.token_embedding.weight.data.std() == pytest.approx(1, rel=0.06)
    assert lm.output.weight.data.std() == pytest.approx(48**-0.5, rel=0.06)


@pytest.mark.parametrize("make", [gpt, lambda **o: gpt(tied=False, **o), bart, rnn, lambda **o: rnn(kind="rnn", **o)])
def test_a_model_begins_alike_in_every_precision_and_has_one(make):
    narrow, wide = make(dtype=np.float32), make(dtype=np.float64)
    for (path, a), (_, b) in zip(narrow.named_state(), wide.named_state()):
        assert (a.dtype, b.dtype) == (np.float32, np.float64), path
        np.testing.assert_array_equal(a.data, b.data.astype(np.float32), path)


def test_without_biases_no_part_of_gpt_has_one():
    names = {path for path, _ in gpt().named_parameters()}
    without = {path for path, _ in gpt(bias=False).named_parameters()}
    assert without == {path for path in names if not path.endswith("bias")} and len(names) - len(without) == 3 * 8 + 1


@pytest.mark.parametrize("positions", [[0, 1, 2], [5, 6, 7], [0, 2, 3], [1, 3, 5], [4, 4, 4], [2, 1, 0], [9, 0, 1], [[0, 2, 4], [7, 8, 9]]])  # fmt: skip
def test_each_token_stands_where_it_is_said_to_stand(positions):
    table, tokens = np.random.default_rng(0).normal(size=(10, 4)), np.array(positions)
    found = position_rows(Tensor(table), tokens, 3, None).data
    np.testing.assert_array_equal(found, table[tokens])
    for outside in (tokens + 10 - tokens.max(), tokens - 1 - tokens.min()):
        with pytest.raises(ShapeError, match="positions"):
            position_rows(Tensor(table), outside, 3, None)


@pytest.mark.parametrize("kind", ["gpt", "decoder"])
def test_the_longest_row_of_a_cache_says_how_much_may_be_read(kind):
    lm = make(kind)
    with no_grad():
        lm(np.zeros((3, 20), int), cache=(cache := lm.new_cache(3)))
        cache.crop([2, 20, 1])
        with pytest.raises(ShapeError, match="block_size = 24"):
            lm(np.zeros((3, 5), int), cache=cache)
        lm(np.zeros((3, 4), int), cache=cache)
    assert cache.lengths.tolist() == [6, 24, 5] and cache.longest == 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_is_read_in_pieces_stands_where_it_stands_in_the_whole(kind):
    lm = make(kind)
    whole = lm(TOKENS).data
    with no_grad():
        cache = lm.new_cache(3)
        for start, stop in ((0, 2), (2, 3), (3, 6)):
            found = lm(TOKENS[:, start:stop], cache=cache).data
            np.testing.assert_allclose(found, whole[:, start:stop], rtol=1e-10, atol=1e-10)
            assert cache.lengths.tolist() == [stop] * 3
