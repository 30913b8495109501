"""A ViT reads a picture as a set of patches, and knows where each stands by its position alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from draws import each_draw_counts
from encoders_by_hand import blocks, norm
from encoders_by_hand import pictures as embedded

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype
from tinygrad_llm.errors import CheckpointError, ConfigError, DtypeError, ShapeError
from tinygrad_llm.models import ViT, ViTConfig, ViTForImageClassification, from_pretrained, save_pretrained
from tinygrad_llm.models.hugging_face import from_hugging_face, to_hugging_face
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import EagerStep, ThreadedStep

CONFIG = ViTConfig(8, 4, 3, n_layer=2, n_head=2, n_embd=8, n_hidden=12, labels=("a", "b", "c"))
KINDS = [ViT, ViTForImageClassification]
PICTURES = np.random.default_rng(5).normal(size=(2, 3, 8, 8))
BATCH = {"pictures": PICTURES, "targets": np.array([2, 0])}


def made(kind=ViT, dtype=np.float64, **changes):
    model = kind(replace(CONFIG, **changes), rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.3, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return model


def patches_moved(pictures, order):
    """The picture whose patch number i is the old one's number order[i]."""
    patches = pictures.reshape(-1, 3, 2, 4, 2, 4).transpose(2, 4, 0, 1, 3, 5).reshape(4, -1, 3, 4, 4)[order]
    return patches.reshape(2, 2, -1, 3, 4, 4).transpose(2, 3, 0, 4, 1, 5).reshape(pictures.shape)


@pytest.mark.parametrize("changes", [
    {}, {"qkv_bias": False}, {"activation": "quick_gelu", "norm_eps": 0.1}, {"n_layer": 3, "n_head": 4, "activation": "relu"},
    {"patch_size": 2}, {"image_size": 12},
])  # fmt: skip
def test_it_is_the_paper_s_formula(changes):
    model = made(**changes)
    pictures, state = np.random.default_rng(2).normal(size=(2, 3, *[model.config.image_size] * 2)), model.state_dict()
    states = blocks(embedded(pictures, state, model.config), state, model.config, causal=False)
    expected = norm(states, state, "norm", model.config.norm_eps)
    np.testing.assert_allclose(model(pictures).data, expected, rtol=1e-10, atol=1e-10)
    biases = {path for path in state if path.endswith("proj.bias") and "attention" in path}
    assert len(biases) == model.config.n_layer * (4 if model.config.qkv_bias else 1)


def test_patches_that_change_places_change_nothing_but_by_their_positions():
    model, order = made(), [2, 0, 3, 1]
    moved = patches_moved(PICTURES, order)
    before, after = model(PICTURES).data, model(moved).data
    assert np.abs(before[:, 0] - after[:, 0]).max() > 1e-3
    table = model.embedding.positions.weight.data
    model.embedding.positions.weight.assign(table[[0, *np.array(order) + 1]])
    carried = model(moved).data
    np.testing.assert_allclose(carried[:, 0], before[:, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(carried[:, 1:], before[:, 1:][:, order], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("patch", range(4))
def test_every_state_depends_on_every_patch_of_its_own_picture_alone(patch):
    model, changed = made(), PICTURES.copy()
    row, column = divmod(patch, 2)
    changed[0, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1
    apart = np.abs(model(changed).data - model(PICTURES).data).max(-1)
    assert (apart[0] > 1e-6).all() and not apart[1].any()


def test_there_is_a_state_for_the_class_token_and_one_for_each_patch():
    assert made()(PICTURES).shape == (2, 5, 8) and made(ViTForImageClassification)(PICTURES).shape == (2, 3)
    assert made(patch_size=2)(PICTURES).shape == (2, 17, 8)


def test_pooler_and_classifier_read_the_class_token_alone():
    model, states = made(), np.random.default_rng(3).normal(size=(2, 5, 8))
    expected = np.tanh(states[:, 0] @ model.pooler.weight.data.T + model.pooler.bias.data)
    np.testing.assert_allclose(model.pool(Tensor(states)).data, expected, rtol=1e-12)
    whole = made(ViTForImageClassification)
    first = whole.vit(PICTURES).data[:, 0]
    expected = first @ whole.classifier.weight.data.T + whole.classifier.bias.data
    np.testing.assert_allclose(whole(PICTURES).data, expected, rtol=1e-12)


def test_each_place_of_the_paper_drops():
    stream, weights = (2, 5, 8), (2, 2, 5, 5)
    encoder = [stream, *[weights, stream, stream] * 2]
    for kind in KINDS:
        each_draw_counts(lambda rng, kind=kind: made(kind, dropout=0.5)(PICTURES, rng=rng).data, encoder)
    lively = made(ViTForImageClassification, dropout=0.5)
    each_draw_counts(lambda rng: lively.loss(BATCH, rng=rng).data, encoder)
    assert lively.loss(BATCH).item() == made(ViTForImageClassification).loss(BATCH).item()


def test_the_loss_is_the_mean_over_the_pictures_that_count():
    model = made(ViTForImageClassification)
    logits = model(PICTURES).data
    each = np.log(np.exp(logits).sum(1)) - logits[[0, 1], [2, 0]]
    assert model.loss(BATCH).item() == pytest.approx(each.mean(), rel=1e-12)
    assert model.loss(BATCH, divisor=5).item() == pytest.approx(each.sum() / 5, rel=1e-12)
    ignored = BATCH | {"targets": np.array([2, ops.IGNORE])}
    assert model.loss(ignored).item() == pytest.approx(each[0], rel=1e-12)


def test_two_threads_do_the_step_of_one():
    found = []
    for make in (lambda m, o: EagerStep(m.loss, o), lambda m, o: ThreadedStep(m.loss, o, threads=2)):
        model = made(ViTForImageClassification, dropout=0.2)
        step = make(model, AdamW(model.parameters(), lr=0.1))
        result = step([BATCH], 1, 0.1, 2.0)
        step.close()
        found.append((result.loss, result.grad_norm, model.state_dict()))
    assert found[0][:2] == pytest.approx(found[1][:2], rel=1e-10)
    for name, array in found[0][2].items():
        np.testing.assert_allclose(found[1][2][name], array, rtol=1e-7, atol=1e-9, err_msg=name)


def test_activations_may_be_coarser_than_the_weights():
    pytest.importorskip("ml_dtypes")
    model, half = made(ViTForImageClassification, np.float32), as_dtype("bfloat16")
    loss = model.loss(BATCH, dtype=half)
    assert model(PICTURES, dtype=half).dtype == half and loss.dtype == np.float32
    assert 0 < abs(loss.item() / model.loss(BATCH).item() - 1) < 0.05
    loss.backward()
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("std", [0.02, 0.3])
def test_every_matrix_begins_with_init_std(std):
    config = ViTConfig(24, 4, 3, 2, 2, 48, 64, init_std=std)
    for kind in KINDS:
        for path, p in kind(config, rng=np.random.default_rng(0)).named_parameters():
            if p.ndim > 1 or path.endswith("class_token"):
                assert p.data.std() == pytest.approx(std, rel=0.25 if p.size < 100 else 0.06), path
            else:
                assert (p.data == (1 if "norm" in path and path.endswith("weight") else 0)).all(), path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("qkv_bias", [True, False])
def test_what_is_saved_opens_to_the_same_bits(kind, qkv_bias, tmp_path):
    model = made(kind, activation="quick_gelu", norm_eps=1e-7, qkv_bias=qkv_bias, dropout=0.25, init_std=0.5)
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path, np.float64)
    assert type(again) is kind and again.config == model.config
    assert ("blocks.0.attention.q_proj.bias" in made(qkv_bias=qkv_bias).state_dict()) is qkv_bias
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)


def test_the_weights_of_a_patch_lie_in_files_as_those_of_a_convolution():
    model = made()
    arrays = to_hugging_face(model)[1]
    weight = model.embedding.patches.proj.weight.data.reshape(8, 3, 4, 4)
    np.testing.assert_array_equal(arrays["embeddings.patch_embeddings.projection.weight"], weight)
    assert arrays["embeddings.cls_token"].shape == (1, 1, 8)
    np.testing.assert_array_equal(arrays["embeddings.position_embeddings"][0], model.embedding.positions.weight.data)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("pooler_act", "relu", "pooler_act"), ("pooler_output_size", 5, "pooler_output_size"), ("use_mask_token", True, "use_mask_token"),
        ("image_size", [8, 8], "image_size"), ("patch_size", 3, "patch_size"), ("hidden_act", "mish", "activation"),
        ("num_channels", 1, "num_channels"), ("qkv_bias", "yes", "qkv_bias"), ("image_size", 12, "position_embeddings of shape"),
        ("qkv_bias", False, "extra"), ("problem_type", "regression", "problem_type"),
    ],
)  # fmt: skip
def test_options_that_are_not_known_are_refused_by_their_name(key, value, named):
    config, arrays = to_hugging_face(made())
    with pytest.raises(CheckpointError, match=named):
        from_hugging_face(config | {key: value}, arrays)


def test_pictures_of_another_kind_are_refused():
    model = made()
    for wrong in (np.ones((1, 3, 4, 4)), np.ones((1, 1, 8, 8)), np.ones((3, 8, 8)), np.ones((1, 3, 8, 4))):
        with pytest.raises(ShapeError, match="pictures"):
            model(wrong)
    with pytest.raises(DtypeError, match="255"):
        model(np.ones((1, 3, 8, 8), int))


@pytest.mark.parametrize(
    "wrong", [{"patch_size": 3}, {"image_size": 0}, {"n_channel": 0}, {"n_head": 3}, {"activation": "tanh"}, {"labels": ()},
              {"dropout": 1.0}, {"n_hidden": 0}],
)  # fmt: skip
def test_impossible_configurations_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        made(**wrong)
