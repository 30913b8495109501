"""CLIP's loss is a contest of each picture among the texts of its batch, and of each text among the pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from encoders_by_hand import blocks, norm
from encoders_by_hand import pictures as embedded

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype
from tinygrad_llm.errors import ArgumentError, CheckpointError, ConfigError, ShapeError
from tinygrad_llm.models import (
    CLIP,
    CLIPConfig,
    CLIPText,
    CLIPTextConfig,
    CLIPVision,
    CLIPVisionConfig,
    from_pretrained,
    save_pretrained,
)
from tinygrad_llm.models.hugging_face import from_hugging_face, to_hugging_face
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.fit import fit
from tinygrad_llm.train.step import EagerStep, ThreadedStep

END = 10
VISION = CLIPVisionConfig(8, 4, 3, n_layer=2, n_head=2, n_embd=8, n_hidden=12)
TEXT = CLIPTextConfig(13, 6, n_layer=2, n_head=3, n_embd=6, n_hidden=10, end_id=END)
CONFIG = CLIPConfig(VISION, TEXT, n_joint=5)
RNG = np.random.default_rng(5)
PICTURES = RNG.normal(size=(3, 3, 8, 8))
TOKENS = np.array([[3, 12, 4, END, 0], [9, END, 2, 6, 11], [8, 9, 7, 12, END]])
BATCH = {"pictures": PICTURES, "tokens": TOKENS}


def redrawn(model):
    rng = np.random.default_rng(1)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.8, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return model


def made(dtype=np.float64, **changes):
    return redrawn(CLIP(replace(CONFIG, **changes), rng=np.random.default_rng(0), dtype=dtype))


def text(**changes):
    return redrawn(CLIPText(replace(TEXT, **changes), rng=np.random.default_rng(0), dtype=np.float64))


@pytest.mark.parametrize("changes", [{}, {"activation": "gelu", "norm_eps": 0.1, "n_layer": 1}])
def test_both_encoders_are_the_formulas(changes):
    vision, words = replace(VISION, **changes), replace(TEXT, **changes)
    model = redrawn(CLIPVision(vision, rng=np.random.default_rng(0), dtype=np.float64))
    state = model.state_dict()
    x = norm(embedded(PICTURES, state, vision), state, "norm_before", vision.norm_eps)
    x = blocks(x, state, vision, causal=False)
    np.testing.assert_allclose(model(PICTURES).data, x, rtol=1e-10, atol=1e-10)
    pooled = norm(x[:, 0], state, "norm_of_pooled", vision.norm_eps)
    np.testing.assert_allclose(model.pool(model(PICTURES)).data, pooled, rtol=1e-10, atol=1e-10)
    model = text(**changes)
    state = model.state_dict()
    x = state["token_embedding.weight"][TOKENS] + state["position_embedding.weight"][:5]
    x = norm(blocks(x, state, words, causal=True), state, "norm", words.norm_eps)
    np.testing.assert_allclose(model(TOKENS).data, x, rtol=1e-10, atol=1e-10)


def by_hand(logits):
    """The mean over both directions of -ln of the diagonal's share."""
    of_texts = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    of_pictures = np.exp(logits) / np.exp(logits).sum(0, keepdims=True)
    return -(np.log(np.diag(of_texts)).mean() + np.log(np.diag(of_pictures)).mean()) / 2


def test_logits_are_scaled_cosines():
    model = made()
    pictures, texts = model.encode_pictures(PICTURES).data, model.encode_texts(TOKENS).data
    assert pictures.shape == texts.shape == (3, 5)
    np.testing.assert_allclose((pictures**2).sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose((texts**2).sum(1), 1, rtol=1e-12)
    scale = np.exp(model.logit_scale.data)
    np.testing.assert_allclose(model(PICTURES, TOKENS).data, scale * pictures @ texts.T, rtol=1e-12)
    np.testing.assert_allclose(model(PICTURES[:2], TOKENS).data, scale * pictures[:2] @ texts.T, rtol=1e-10)
    fresh = CLIP(CONFIG, rng=np.random.default_rng(0))
    assert np.exp(fresh.logit_scale.item()) == pytest.approx(1 / 0.07, rel=1e-4)  # section 2.5 of the paper


def test_the_loss_is_the_softmax_both_ways():
    model = made()
    logits = model(PICTURES, TOKENS).data
    assert model.loss(BATCH).item() == pytest.approx(by_hand(logits), rel=1e-12)
    assert model.loss(BATCH, divisor=7).item() == pytest.approx(by_hand(logits) * 3 / 7, rel=1e-12)
    one_way = -np.log(np.diag(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).mean()
    assert abs(one_way - by_hand(logits)) > 1e-3


def test_the_loss_of_a_perfect_match_tends_to_zero_and_that_of_a_guess_is_ln_b(monkeypatch):
    model = made()
    monkeypatch.setattr(model, "encode_pictures", lambda pictures, **o: Tensor(np.eye(3)))
    for matched, scale, expected in ((True, 50.0, 0.0), (True, 0.0, np.log(3)), (False, 50.0, 50.0)):
        texts = np.eye(3)[[0, 1, 2] if matched else [1, 2, 0]]
        monkeypatch.setattr(model, "encode_texts", lambda tokens, texts=texts, **o: Tensor(texts))
        model.logit_scale.assign(np.log([scale]) if scale else np.array([-np.inf]))
        assert model.loss(BATCH).item() == pytest.approx(expected, abs=1e-12)


def test_a_text_is_read_at_its_first_end_and_nothing_behind_it_counts():
    model = made()
    before = model.encode_texts(TOKENS).data
    for row, at in enumerate((3, 1, 4)):
        behind = TOKENS.copy()
        behind[row, at + 1 :] = 11
        np.testing.assert_allclose(model.encode_texts(behind).data, before, rtol=1e-12)
        behind[row, at + 1 :] = END  # CLIP's own padding
        np.testing.assert_allclose(model.encode_texts(behind).data, before, rtol=1e-12)
        changed = TOKENS.copy()
        changed[row, 0] = 6
        apart = np.abs(model.encode_texts(changed).data - before).max(1)
        assert apart[row] > 1e-4 and not np.delete(apart, row).any()
    states = model.text_model(TOKENS)
    pooled = model.text_model.pool(states, TOKENS).data
    np.testing.assert_array_equal(pooled, states.data[[0, 1, 2], [3, 1, 4]])


def test_with_2_as_its_end_a_text_is_read_at_its_highest_token():
    model = text(end_id=2)
    tokens = np.array([[2, 5, 3, 2], [11, 2, 11, 4]])  # of two that are highest the first
    states = model(tokens)
    np.testing.assert_array_equal(model.pool(states, tokens).data, states.data[[0, 1], [1, 0]])
    other = text(end_id=3)
    with pytest.raises(ArgumentError, match="end_id = 3"):
        other.pool(other(tokens), tokens)


def test_no_state_of_a_text_has_seen_what_stands_behind_it_and_every_state_of_a_picture_all():
    words, changed = text(), TOKENS.copy()
    changed[:, 3:] = 1
    before, after = words(TOKENS).data, words(changed).data
    np.testing.assert_allclose(before[:, :3], after[:, :3], rtol=1e-12)
    assert (np.abs(before - after)[:, 3:].max((0, 2)) > 1e-4).all()
    model = redrawn(CLIPVision(VISION, rng=np.random.default_rng(0), dtype=np.float64))
    last = PICTURES.copy()
    last[:, :, 4:, 4:] += 1
    assert (np.abs(model(last).data - model(PICTURES).data).max(-1) > 1e-6).all()


def test_the_states_after_some_blocks_are_those_that_the_next_ones_read():
    model = redrawn(CLIPVision(VISION, rng=np.random.default_rng(0), dtype=np.float64))
    first = model.norm_before(model.embedding(PICTURES))
    np.testing.assert_array_equal(model(PICTURES, layers=0).data, first.data)
    np.testing.assert_array_equal(model(PICTURES, layers=1).data, model.blocks[0](first).data)
    np.testing.assert_array_equal(model(PICTURES).data, model.blocks[1](model.blocks[0](first)).data)
    pooled = model.norm_of_pooled(model(PICTURES)[:, 0])
    np.testing.assert_array_equal(model.pool(model(PICTURES)).data, pooled.data)


def test_a_batch_is_one_contest_so_threads_refuse_it():
    model = made()
    optimizer = AdamW(model.parameters(), lr=0.01)
    with pytest.raises(ConfigError, match="couples them.*--threads 1"):
        ThreadedStep(model.loss, optimizer, threads=2)
    if model.device == "cpu":  # a GPU divides no batch between threads
        with pytest.raises(ConfigError, match="--threads 1"):
            fit(model.loss, optimizer, [BATCH], threads=2)
    parts = [model.loss({n: a[i : i + 1] for n, a in BATCH.items()}, divisor=3).item() for i in range(3)]
    assert parts == [0, 0, 0] and model.loss(BATCH).item() > 0.1
    whole = made().loss(BATCH, divisor=6).item()
    step = EagerStep(model.loss, optimizer)
    assert step([BATCH, BATCH], 1, 0.01, 6.0).loss == pytest.approx(
        2 * whole, rel=1e-12
    )  # two contests, not one of six


def test_it_learns_which_text_belongs_to_which_picture():
    model = CLIP(CONFIG, rng=np.random.default_rng(0))
    batch = {"pictures": PICTURES.astype(np.float32), "tokens": TOKENS}
    losses = fit(model.loss, AdamW(model.parameters(), lr=0.01), [batch] * 60, threads=1)
    assert losses[-1] < 0.05 < 0.5 < losses[0]
    np.testing.assert_array_equal(model(batch["pictures"], TOKENS).data.argmax(1), [0, 1, 2])


def test_activations_may_be_coarser_than_the_weights():
    pytest.importorskip("ml_dtypes")
    model, half = made(np.float32), as_dtype("bfloat16")
    loss = model.loss(BATCH, dtype=half)
    assert model(PICTURES, TOKENS, dtype=half).dtype == half and loss.dtype == np.float32
    assert 0 < abs(loss.item() / model.loss(BATCH).item() - 1) < 0.05
    loss.backward()
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_an_rng_changes_nothing_since_nothing_is_dropped():
    assert made().loss(BATCH, rng=np.random.default_rng(0)).item() == made().loss(BATCH).item()


# -- first weights and files -----------------------------------------------------------------------------------------


def test_matrices_begin_as_openais():
    vision, words = CLIPVisionConfig(24, 4, 3, 3, 2, 48, 96), CLIPTextConfig(90, 60, 3, 2, 48, 96, end_id=1)
    model = CLIP(CLIPConfig(vision, words, 40), rng=np.random.default_rng(0))
    width = 48**-0.5
    expected = {
        "token_embedding.weight": 0.02, "position_embedding.weight": 0.01, "positions.weight": width, "class_token": width,
        "patches.proj.weight": width, "o_proj.weight": width / 6**0.5, "down_proj.weight": width / 6**0.5,
        "up_proj.weight": 96**-0.5, "_projection.weight": width, "_proj.weight": width,
    }  # fmt: skip
    for path, p in model.named_parameters():
        if p.ndim > 1 or path.endswith("class_token"):
            std = next(value for end, value in expected.items() if path.endswith(end))
            assert p.data.std() == pytest.approx(std, rel=0.3 if p.size < 100 else 0.08), path
        elif path != "logit_scale":
            assert (p.data == (1 if "norm" in path and path.endswith("weight") else 0)).all(), path


MODELS = {
    "whole": lambda: made(logit_scale=0.5, vision=replace(VISION, activation="gelu", norm_eps=1e-7), text=replace(TEXT, n_layer=1)),
    "vision": lambda: redrawn(CLIPVision(VISION, rng=np.random.default_rng(0), dtype=np.float64)), "text": text,
}  # fmt: skip


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_what_is_saved_opens_to_the_same_bits(make, tmp_path):
    model = make()
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path, np.float64)
    assert type(again) is type(model) and again.config == model.config
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)


def test_old_files_of_the_encoders_and_their_numbered_positions_open():
    for make, there in ((MODELS["vision"], "vision_model."), (MODELS["text"], "text_model.")):
        model = make()
        config, arrays = to_hugging_face(model)
        old = {there + name: array for name, array in arrays.items()} | {
            f"{there}embeddings.position_ids": np.arange(5)
        }
        again = from_hugging_face(config, old, np.float64)
        for name, array in model.state_dict().items():
            np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)
    config, arrays = to_hugging_face(made())
    numbered = {f"{half}_model.embeddings.position_ids": np.arange(5)[None] for half in ("text", "vision")}
    from_hugging_face(config, arrays | numbered)
    legacy = within(config, "text_config", dropout=0.0, add_cross_attention=False, is_decoder=False, projection_dim=77)
    from_hugging_face(legacy, arrays)


def within(config, part, **changes):
    return config | {part: config[part] | changes}


@pytest.mark.parametrize(
    ("part", "key", "value", "named"),
    [
        ("text_config", "attention_dropout", 0.1, "text_config.attention_dropout"), ("vision_config", "spam", 1, "vision_config.spam"),
        ("vision_config", "model_type", "siglip_vision_model", "vision_config.model_type"), ("text_config", "dropout", 0.5, "text_config.dropout"),
        ("text_config", "eos_token_id", 99, "end_id"), ("vision_config", "num_hidden_layers", 3, "vision_config.num_hidden_layers"),
        ("vision_config", "image_size", 12, "position_embedding"), ("text_config", "hidden_size", True, "text_config.hidden_size"),
        ("vision_config", "hidden_act", "mish", "activation"), ("vision_config", "patch_size", 3, "patch_size"),
    ],
)  # fmt: skip
def test_what_is_not_known_of_an_encoder_is_refused_by_its_name(part, key, value, named):
    config, arrays = to_hugging_face(made())
    with pytest.raises(CheckpointError, match=re.escape(named)):
        from_hugging_face(within(config, part, **{key: value}), arrays)


def test_what_is_not_known_of_the_whole_is_refused_by_its_name():
    config, arrays = to_hugging_face(made())
    for changes, named in (
        ({"vision_config": 3}, "vision_config"), ({"vision_config_dict": {"hidden_size": 8}}, "vision_config_dict"),
        ({"projection_dim": 4}, "projection_dim"), ({"logit_scale_init_value": "x"}, "logit_scale_init_value"),
    ):  # fmt: skip
        with pytest.raises(CheckpointError, match=named):
            from_hugging_face(config | changes, arrays)
    with pytest.raises(CheckpointError, match="text_config.vocab_size"):
        from_hugging_face({key: value for key, value in config.items() if key != "text_config"}, arrays)
    with pytest.raises(CheckpointError, match=r"logit_scale of shape \(1,\) instead of \(\)"):
        from_hugging_face(config, arrays | {"logit_scale": np.ones(1)})
    from_hugging_face(config | {"vision_config_dict": None}, arrays)


def test_impossible_configurations_are_refused():
    for kind, name, value in (
        (VISION, "patch_size", 3), (VISION, "n_head", 3), (VISION, "activation", "tanh"), (VISION, "n_channel", 0),
        (TEXT, "n_head", 4), (TEXT, "activation", "tanh"), (TEXT, "end_id", 13), (TEXT, "end_id", -1), (TEXT, "n_hidden", 0),
        (CONFIG, "n_joint", 0), (CONFIG, "n_joint", True),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=name):
            replace(kind, **{name: value})
    for wrong in (np.zeros((1, 7), int), np.zeros(3, int)):
        with pytest.raises(ShapeError, match="tokens"):
            made().encode_texts(wrong)
