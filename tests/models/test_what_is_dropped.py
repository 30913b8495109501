"""What whole models drop: each place of the papers, by every way through the model, with an rng alone."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import redrawn
from draws import Draws, each_draw_counts

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.models import GPT, RNNLM, EncoderDecoder, EncoderDecoderConfig, GPTConfig, RNNLMConfig

V, B, S, T, D, H, F = 11, 2, 4, 3, 8, 2, 10
RNG = np.random.default_rng(2)
SOURCE, TOKENS, TARGETS = (RNG.integers(3, V, (B, n)) for n in (S, T, T))
BATCH = {"tokens": TOKENS, "targets": TARGETS}
WEIGHTS, CROSSED, STREAM, HIDDEN = (B, H, T, T), (B, H, T, S), (B, T, D), (B, T, F)
SOURCE_WEIGHTS, SOURCE_STREAM, SOURCE_HIDDEN = (B, H, S, S), (B, S, D), (B, S, F)


def made(model, config, **options):
    return redrawn(model(config(**options), rng=np.random.default_rng(0), dtype=np.float64), 0)


SIZES = {"vocab_size": V, "block_size": 8, "n_head": H, "n_embd": D}
GPTS = [made(GPT, GPTConfig, n_layer=2, dropout=0.5, tied=tied, **SIZES) for tied in (True, False)]
BART = made(
    EncoderDecoder, EncoderDecoderConfig, n_encoder_layer=1, n_decoder_layer=2, n_hidden=F, dropout=0.5, **SIZES
)
IN_GPT = [STREAM, *[WEIGHTS, STREAM, STREAM] * 2]
IN_ENCODER = [SOURCE_STREAM, SOURCE_WEIGHTS, SOURCE_STREAM, SOURCE_HIDDEN, SOURCE_STREAM]
IN_DECODER = [STREAM, *[WEIGHTS, STREAM, CROSSED, STREAM, HIDDEN, STREAM] * 2]


WAYS = {
    "hidden": lambda lm, rng: lm.hidden(TOKENS, rng=rng), "logits": lambda lm, rng: lm(TOKENS, rng=rng),
    "next logits": lambda lm, rng: lm.next_logits(TOKENS, rng=rng), "loss": lambda lm, rng: lm.loss(BATCH, rng=rng),
    "log-probabilities": lambda lm, rng: lm.token_log_probs(BATCH, rng=rng),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gpt", GPTS, ids=["tied", "untied"])
def test_gpt_drops_embeddings_weights_and_both_branches(gpt, way):
    each_draw_counts(lambda rng: WAYS[way](gpt, rng).data, IN_GPT)


def test_gpt_drops_under_a_mask_too():
    mask = np.arange(T) < np.array([[T], [T - 1]])
    each_draw_counts(lambda rng: GPTS[0](TOKENS, mask=mask, rng=rng).data, IN_GPT)


@pytest.mark.parametrize("way", WAYS)
def test_a_given_decoder_drops_its_own_places(way):
    given = BART.given(SOURCE)
    each_draw_counts(lambda rng: WAYS[way](given, rng).data, IN_DECODER)


def test_an_encoder_decoder_drops_in_both_halves():
    each_draw_counts(lambda rng: BART.encode(SOURCE, rng=rng).data, IN_ENCODER)
    each_draw_counts(lambda rng: BART.given(SOURCE, rng=rng).memory.data, IN_ENCODER)
    each_draw_counts(lambda rng: BART(SOURCE, TOKENS, rng=rng).data, IN_ENCODER + IN_DECODER)
    each_draw_counts(lambda rng: BART.loss(BATCH | {"source": SOURCE}, rng=rng).data, IN_ENCODER + IN_DECODER)


@pytest.mark.parametrize("lm", [*GPTS, BART.given(SOURCE)], ids=["tied", "untied", "decoder"])
def test_what_is_read_beside_a_cache_is_dropped_too(lm):
    def read(rng):
        with no_grad():
            cache = lm.new_cache(B)
            lm(TOKENS[:, :2], cache=cache)
            return lm(TOKENS[:, 2:], cache=cache, rng=rng).data

    seen = Draws()
    read(seen)
    each_draw_counts(read, seen.shapes)
    assert len(seen.shapes) == len(IN_GPT if isinstance(lm, GPT) else IN_DECODER)


def test_without_an_rng_the_rate_changes_nothing():
    for model, config, options, run in (
        (GPT, GPTConfig, {"n_layer": 2}, lambda m: m.loss(BATCH)),
        (EncoderDecoder, EncoderDecoderConfig, {"n_encoder_layer": 1, "n_decoder_layer": 1, "n_hidden": F},
         lambda m: m.loss(BATCH | {"source": SOURCE})),
    ):  # fmt: skip
        still, lively = (made(model, config, dropout=rate, **SIZES, **options) for rate in (0.0, 0.9))
        assert run(still).item() == run(lively).item()
        none = Draws()
        still.loss(BATCH | {"source": SOURCE}, rng=none)
        assert none.shapes == []


def test_a_recurrence_takes_an_rng_and_draws_nothing():
    lm, none = made(RNNLM, RNNLMConfig, vocab_size=V, width=6, hidden=8), Draws()
    assert lm.loss(BATCH, rng=none).item() == lm.loss(BATCH).item() and none.shapes == []
