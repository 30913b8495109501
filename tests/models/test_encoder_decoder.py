"""Claims about the encoder-decoder that need no other library."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.errors import (
    ArgumentError,
    ConfigError,
    DtypeError,
    ShapeError,
    TokenError,
)
from tinygrad_llm.models import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.encoder_decoder import ConditionedDecoder

CONFIG = EncoderDecoderConfig(
    vocab_size=13, block_size=8, n_encoder_layer=2, n_decoder_layer=2, n_head=2, n_embd=8, n_hidden=10
)


def model(dtype=np.float64, **changes):
    found = EncoderDecoder(EncoderDecoderConfig(**(vars(CONFIG) | changes)), rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for p in [*found.parameters(), *found.buffers()]:  # the defaults are a weak test: all norms one, all biases zero
        p.assign(rng.normal(0, 0.3, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return found


RNG = np.random.default_rng(2)
SOURCE, TARGET = RNG.integers(3, 13, (3, 7)), RNG.integers(3, 13, (3, 5))
SOURCE[1, 4:], SOURCE[2, 1:] = 1, 1


def batch(targets=TARGET):
    return {"source": SOURCE, "tokens": TARGET, "targets": targets}


def by_hand(state, c, source, target):
    """BART in NumPy, straight from its description."""
    activations = {
        "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)(x),
        "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    }

    def norm(x, name):
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return y * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def attention(x, other, name, allowed):
        q, k, v = linear(x, f"{name}.q_proj"), linear(other, f"{name}.k_proj"), linear(other, f"{name}.v_proj")
        out, size = np.zeros(x.shape), c.n_embd // c.n_head
        for head in range(c.n_head):
            part = slice(head * size, (head + 1) * size)
            scores = np.where(allowed, q[..., part] @ k[..., part].swapaxes(1, 2) / np.sqrt(size), -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            out[..., part] = weights / weights.sum(-1, keepdims=True) @ v[..., part]
        return linear(out, f"{name}.o_proj")

    def embed(ids, half):
        words = state["token_embedding.weight"][ids] * (math.sqrt(c.n_embd) if c.scale_embedding else 1)
        positions = state[f"{half}.position_embedding.weight"][: ids.shape[1]]
        return norm(words + positions, f"{half}.embedding_norm")

    def mlp(x, name):
        hidden = activations[c.activation](linear(x, f"{name}.mlp.up_proj"))
        return norm(x + linear(hidden, f"{name}.mlp.down_proj"), f"{name}.mlp_norm")

    words = (source != c.pad_id)[:, None, :]
    past = np.tril(np.ones((1, target.shape[1], target.shape[1]), bool))
    memory = embed(source, "encoder")
    for i in range(c.n_encoder_layer):
        name = f"encoder.blocks.{i}"
        added = attention(memory, memory, f"{name}.self_attention", words)
        memory = mlp(norm(memory + added, f"{name}.self_attention_norm"), name)
    x = embed(target, "decoder")
    for i in range(c.n_decoder_layer):
        name = f"decoder.blocks.{i}"
        x = norm(x + attention(x, x, f"{name}.self_attention", past), f"{name}.self_attention_norm")
        x = norm(x + attention(x, memory, f"{name}.cross_attention", words), f"{name}.cross_attention_norm")
        x = mlp(x, name)
    return x @ state["token_embedding.weight"].T + state["logits_bias"][0]


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_logits_are_those_of_the_description(scaled, activation):
    ours = model(scale_embedding=scaled, activation=activation, n_encoder_layer=1, n_decoder_layer=3)
    found = ours(SOURCE, TARGET).data
    np.testing.assert_allclose(found, by_hand(ours.state_dict(), ours.config, SOURCE, TARGET), rtol=1e-10, atol=1e-10)


def test_reading_and_writing_apart_is_reading_and_writing():
    ours = model()
    lengths = np.array([7, 4, 1])
    for given in (None, lengths):
        apart = ConditionedDecoder(ours, ours.encode(SOURCE, given), lengths)(TARGET)
        np.testing.assert_array_equal(apart.data, ours(SOURCE, TARGET, given).data)
        np.testing.assert_array_equal(ours.given(SOURCE, given)(TARGET).data, apart.data)
    np.testing.assert_array_equal(ours.source_lengths(SOURCE), lengths)
    everything = np.full(3, 7)
    assert np.abs(ours(SOURCE, TARGET, everything).data - ours(SOURCE, TARGET).data)[1:].max() > 1e-3


def test_a_word_of_the_target_sees_all_of_the_source_and_none_of_its_future():
    ours, later, last = model(), TARGET.copy(), SOURCE.copy()
    later[:, 3] = (later[:, 3] - 2) % 10 + 3
    before, after = ours(SOURCE, TARGET).data, ours(SOURCE, later).data
    np.testing.assert_allclose(before[:, :3], after[:, :3], rtol=1e-12)
    assert (np.abs(before[:, 3:] - after[:, 3:]).max(-1) > 1e-6).all()
    last[0, -1] = (last[0, -1] - 2) % 10 + 3
    assert (np.abs(before[0] - ours(last, TARGET).data[0]).max(-1) > 1e-6).all()


def test_padding_changes_nothing():
    ours = model()
    whole = ours(SOURCE, TARGET).data
    for row, length in enumerate((7, 4, 1)):
        alone = ours(SOURCE[row : row + 1, :length], TARGET[row : row + 1])
        np.testing.assert_allclose(whole[row : row + 1], alone.data, rtol=1e-10, atol=1e-10)


def test_the_loss_is_the_cross_entropy_of_the_logits():
    ours = model()
    wanted = np.roll(TARGET, -1, 1)
    wanted[0, 2:] = ops.IGNORE
    logits = ours(SOURCE, TARGET).data
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    counts = wanted != ops.IGNORE
    losses = -np.take_along_axis(logp, np.where(counts, wanted, 0)[..., None], -1)[..., 0][counts]
    assert ours.loss(batch(wanted)).item() == pytest.approx(losses.mean(), rel=1e-12)
    assert ours.loss(batch(wanted), divisor=5).item() == pytest.approx(losses.sum() / 5, rel=1e-12)


def test_cross_attention_weights_are_those_of_every_layer_and_head():
    found = model().cross_attention_weights(SOURCE, TARGET)
    assert found.shape == (2, 3, 2, 5, 7)
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-12)
    assert not found[:, 1, :, :, 4:].any() and (found[:, 2, :, :, 0] == 1).all()


def test_cross_attention_weights_come_from_the_stream_that_writes():
    ours = model(n_decoder_layer=2, n_head=1)
    heard = []
    for block in ours.decoder.blocks:
        plain = block.cross_attention

        def listening(x, memory, rng=None, plain=plain, **options):
            heard.append(plain.weights(x, memory, **options).data)
            return plain(x, memory, rng=rng, **options)

        block.cross_attention = listening
    ours(SOURCE, TARGET)
    found = model(n_decoder_layer=2, n_head=1).cross_attention_weights(SOURCE, TARGET)
    np.testing.assert_array_equal(np.stack(heard), found)


def test_every_learned_parameter_gets_a_gradient_and_the_bias_of_the_logits_is_not_learned():
    ours = model()
    ours.loss(batch()).backward()
    for name, p in ours.named_parameters():
        assert (p.grad is None) == (name == "logits_bias"), name
    assert not EncoderDecoder(CONFIG, rng=np.random.default_rng(0)).logits_bias.data.any()


def test_dropout_is_active_exactly_when_an_rng_is_given():
    ours = model(dropout=0.5)
    np.testing.assert_array_equal(ours(SOURCE, TARGET).data, ours(SOURCE, TARGET).data)
    moved = ours.loss(batch(), rng=np.random.default_rng(0)).item()
    assert moved != ours.loss(batch()).item()
    assert moved == ours.loss(batch(), rng=np.random.default_rng(0)).item()
    parts = [
        ours.loss({name: a[p] for name, a in batch().items()}, rng=KeyedStream(1, 1, p.start), divisor=15).item()
        for p in (slice(0, 1), slice(1, 3))
    ]
    whole = ours.loss(batch(), rng=KeyedStream(1, 1), divisor=15).item()
    assert sum(parts) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("place", ["embed", "hidden", "mlp", "self_attention", "cross_attention"])
def test_dropout_falls_on_every_place(place):
    ours = model(dropout=0.5)
    still = ours(SOURCE, TARGET).data
    for half in (ours.encoder, ours.decoder):
        if place != "embed":
            half.dropout.p = 0.0
        for block in half.blocks:
            if place != "mlp":
                block.mlp.dropout.p = 0.0
            if place != "hidden":
                block.mlp.hidden_dropout.p = 0.0
            for name in ("self_attention", "cross_attention"):
                if name != place and getattr(block, name) is not None:
                    getattr(block, name).dropout.p = 0.0
    assert np.abs(ours(SOURCE, TARGET, rng=np.random.default_rng(0)).data - still).max() > 1e-3


def test_first_weights_have_the_deviation_asked_for():
    ours = EncoderDecoder(EncoderDecoderConfig(50, 40, 1, 1, 2, 64, 64, init_std=0.1), rng=np.random.default_rng(0))
    for name, p in ours.named_parameters():
        if p.ndim > 1 and name != "logits_bias":
            assert p.data.std() == pytest.approx(0.1, rel=0.05), name
        assert p.dtype == np.float32


@pytest.mark.parametrize(
    "bad",
    [{"vocab_size": 0}, {"block_size": -1}, {"n_encoder_layer": 1.0}, {"n_decoder_layer": True}, {"n_head": 3}, {"n_hidden": "8"},
     {"dropout": 1.0}, {"dropout": -0.1}, {"activation": "tanh"}, {"pad_id": 13}, {"start_id": -1}, {"end_id": 99}],
)  # fmt: skip
def test_impossible_configurations_are_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        EncoderDecoderConfig(**(vars(CONFIG) | bad))


def test_texts_that_do_not_fit_are_refused():
    ours = model()
    for source, target, error, words in (
        (SOURCE[0], TARGET, ShapeError, "source.*batch of one"),
        (SOURCE, TARGET[0], ShapeError, "target.*batch of one"),
        (np.full((3, 9), 5), TARGET, ShapeError, "block_size = 8"),
        (SOURCE, np.full((3, 9), 5), ShapeError, "block_size = 8"),
        (SOURCE, TARGET[:, :0], ShapeError, "target"),
        (SOURCE[:, :0], TARGET, ShapeError, "source"),
        (SOURCE + 20, TARGET, TokenError, "0 to 12"),
    ):
        with pytest.raises(error, match=words):
            ours(source, target)
    with pytest.raises(ShapeError, match="lengths"):
        ours(SOURCE, TARGET, np.ones(5, int))
    with pytest.raises(DtypeError, match="lengths"):
        ours(SOURCE, TARGET, np.ones(3))
    with pytest.raises(ArgumentError, match="lengths"):
        ours(SOURCE, TARGET, np.full(3, 8))
    assert ours(np.full((1, 8), 5), np.full((1, 8), 5)).shape == (1, 8, 13)
