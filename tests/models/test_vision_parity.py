"""ViT and CLIP against transformers: fifty random configurations of each in float64, outputs, loss, every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from by_their_names import gradients_by_their_names
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.models import (
    CLIP,
    CLIPConfig,
    CLIPText,
    CLIPTextConfig,
    CLIPVision,
    CLIPVisionConfig,
    ViT,
    ViTConfig,
    ViTForImageClassification,
    clip,
    from_pretrained,
    save_pretrained,
    vit,
)
from tinygrad_llm.models.layout_config import read_config
from tinygrad_llm.models.layouts.clip import CLIPS
from tinygrad_llm.models.layouts.vit import VITS
from tinygrad_llm.nn import ACTIVATIONS as ACTIVATION
from tinygrad_llm.nn import Attention, LayerNorm, patch

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50
ACTIVATIONS = ["gelu", "gelu_new", "quick_gelu", "relu"]
KINDS, THEIRS = [ViT, ViTForImageClassification], ["ViTModel", "ViTForImageClassification"]


def sizes(rng, **others):
    """What all of transformers' vision configurations have."""
    heads, side = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    return {
        "hidden_size": heads * int(rng.integers(2, 7)), "num_attention_heads": heads, "num_channels": int(rng.integers(1, 4)),
        "num_hidden_layers": int(rng.integers(1, 4)), "intermediate_size": int(rng.integers(1, 25)), "patch_size": side,
        "image_size": side * int(rng.integers(2, 5)), "hidden_act": str(rng.choice(ACTIVATIONS)),
        "layer_norm_eps": float(rng.choice([1e-12, 1e-5])),
    } | others  # fmt: skip


def pictures_for(config, rng, count=3):
    return rng.normal(size=(count, config.num_channels, config.image_size, config.image_size))


def check_gradients(ours, loss, other, their_loss) -> None:
    """The gradient of every parameter. LLaVA does not run the last blocks of its encoder of pictures."""
    loss.backward()
    their_loss.backward()
    for p in ours.parameters():
        p.grad = np.zeros(p.shape) if p.grad is None else p.grad
    theirs = {}
    for name, p in other.named_parameters():
        for here, there in IN_FILES.get(other.config.model_type, []):
            name = name.replace(here, there)
        theirs[name] = p.grad
        assert p.grad is not None or name.startswith("vision_tower.")
    mine = gradients_by_their_names(ours)
    assert mine.keys() == theirs.keys()
    for name, gradient in theirs.items():
        expected = np.zeros(mine[name].shape) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(mine[name], expected, **WHOLE_MODEL, err_msg=name)


IN_FILES = {
    "vit": [
        ("layers.", "encoder.layer."), ("attention.q_proj", "attention.attention.query"), ("attention.k_proj", "attention.attention.key"),
        ("attention.v_proj", "attention.attention.value"), ("attention.o_proj", "attention.output.dense"),
        ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense"),
    ],
    "llava": [
        ("model.language_model.", "language_model.model."), ("lm_head", "language_model.lm_head"),
        ("model.vision_tower", "vision_tower"), ("model.multi_modal", "multi_modal"),
    ],
}  # fmt: skip
"""transformers 5 calls some tensors in memory otherwise than in files."""


# -- ViT -------------------------------------------------------------------------------------------------------------


def vit_case(seed: int, folder, kind: int | None = None):
    """transformers' ViT of a random configuration, bare or with a classifier, saved into the folder; and a batch."""
    import transformers

    rng = np.random.default_rng(seed)
    kind, labels = seed % 2 if kind is None else kind, int(rng.integers(2, 6))
    config = transformers.ViTConfig(**sizes(rng), qkv_bias=bool(rng.integers(2)), num_labels=labels)
    other = getattr(transformers, THEIRS[kind])(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    return other, {"pictures": pictures_for(config, rng), "targets": rng.integers(0, labels, 3)}


def compare_vit(other, ours, batch) -> None:
    """Outputs, loss, and the gradient of every parameter."""
    import torch

    pictures = torch.tensor(batch["pictures"])
    if type(ours) is ViT:
        said, found = other(pictures), ours(batch["pictures"])
        pooled = ours.pool(found)
        np.testing.assert_allclose(found.data, said.last_hidden_state.detach().numpy(), **WHOLE_MODEL)
        np.testing.assert_allclose(pooled.data, said.pooler_output.detach().numpy(), **WHOLE_MODEL)
        weights = np.random.default_rng(0).normal(size=found.shape)
        loss = (found * weights).sum() + pooled.sum()
        their_loss = (said.last_hidden_state * torch.tensor(weights)).sum() + said.pooler_output.sum()
    else:
        said = other(pictures, labels=torch.tensor(batch["targets"]))
        np.testing.assert_allclose(ours(batch["pictures"]).data, said.logits.detach().numpy(), **WHOLE_MODEL)
        loss, their_loss = ours.loss(batch), said.loss
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    check_gradients(ours, loss, other, their_loss)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_vit_equals_transformers(seed, tmp_path):
    other, batch = vit_case(seed, tmp_path)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    assert type(ours) is KINDS[seed % 2]
    compare_vit(other, ours, batch)


# -- CLIP ------------------------------------------------------------------------------------------------------------

CLIP_KINDS, CLIP_THEIRS = [CLIP, CLIPVision, CLIPText], ["CLIPModel", "CLIPVisionModel", "CLIPTextModel"]


def clip_case(seed: int, folder, kind: int = 0, **text):
    """transformers' CLIP of a random configuration, or one of its encoders, saved into the folder; and a batch."""
    import transformers

    rng = np.random.default_rng(seed)
    vision = sizes(rng)
    vocabulary, block = int(rng.integers(8, 40)), int(rng.integers(4, 12))
    heads = int(rng.integers(1, 4))
    words = {
        "vocab_size": vocabulary, "max_position_embeddings": block, "hidden_size": heads * int(rng.integers(2, 7)),
        "num_attention_heads": heads, "num_hidden_layers": int(rng.integers(1, 4)), "hidden_act": str(rng.choice(ACTIVATIONS)),
        "intermediate_size": int(rng.integers(1, 25)), "layer_norm_eps": float(rng.choice([1e-12, 1e-5])),
        "eos_token_id": int(rng.choice([2, 3, vocabulary - 1])), "bos_token_id": 0,
    } | text  # fmt: skip
    whole = transformers.CLIPConfig(
        text_config=words, vision_config=vision, projection_dim=int(rng.integers(2, 9)), logit_scale_init_value=0.7
    )
    config = (whole, whole.vision_config, whole.text_config)[kind]
    other = getattr(transformers, CLIP_THEIRS[kind])(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    time, end = int(rng.integers(2, block + 1)), words["eos_token_id"]
    tokens = rng.integers(4, vocabulary - 1, (3, time))
    for row, at, padded in zip(tokens, rng.integers(0, time, 3), (False, True, True)):
        row[at : None if padded else at + 1] = vocabulary - 1 if end == 2 else end  # it may be the padding, too
    return other, {"pictures": pictures_for(whole.vision_config, rng), "tokens": tokens}


def compare_clip(other, ours, batch) -> None:
    """Outputs, loss, and the gradient of every parameter."""
    import torch

    pictures, tokens = torch.tensor(batch["pictures"]), torch.tensor(batch["tokens"])
    if type(ours) is CLIP:
        said = other(input_ids=tokens, pixel_values=pictures, return_loss=True)
        found = ours(batch["pictures"], batch["tokens"])
        np.testing.assert_allclose(found.data, said.logits_per_image.detach().numpy(), **WHOLE_MODEL)
        loss, their_loss = ours.loss(batch), said.loss
    else:
        given, theirs = ("pictures", pictures) if type(ours) is CLIPVision else ("tokens", tokens)
        said, found = other(theirs), ours(batch[given])
        pooled = ours.pool(found) if given == "pictures" else ours.pool(found, batch[given])
        np.testing.assert_allclose(found.data, said.last_hidden_state.detach().numpy(), **WHOLE_MODEL)
        np.testing.assert_allclose(pooled.data, said.pooler_output.detach().numpy(), **WHOLE_MODEL)
        weights = np.random.default_rng(0).normal(size=pooled.shape)
        loss, their_loss = (pooled * weights).sum(), (said.pooler_output * torch.tensor(weights)).sum()
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    check_gradients(ours, loss, other, their_loss)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_clip_equals_transformers(seed, tmp_path):
    other, batch = clip_case(seed, tmp_path)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    assert type(ours) is CLIP
    compare_clip(other, ours, batch)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_each_encoder_of_clip_equals_transformers(seed, kind, tmp_path):
    other, batch = clip_case(seed, tmp_path, kind)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    assert type(ours) is CLIP_KINDS[kind]
    compare_clip(other, ours, batch)


# -- faults, and the other direction ---------------------------------------------------------------------------------


def patches_by_columns(monkeypatch):
    def turned(pictures, side):
        batch, channels, height, width = pictures.shape
        x = pictures.reshape(batch, channels, height // side, side, width // side, side).transpose(0, 4, 2, 1, 3, 5)
        return x.reshape(batch, -1, channels * side * side)

    monkeypatch.setattr(patch, "cut", turned)


def pixels_by_columns(monkeypatch):
    plain = patch.cut

    def turned(pictures, side):
        x = plain(pictures, side)
        return x.reshape(*x.shape[:2], -1, side, side).swapaxes(-1, -2).reshape(*x.shape)

    monkeypatch.setattr(patch, "cut", turned)


def channels_last(monkeypatch):
    plain = patch.cut

    def turned(pictures, side):
        x = plain(pictures, side)
        return x.reshape(*x.shape[:2], -1, side * side).swapaxes(-1, -2).reshape(*x.shape)

    monkeypatch.setattr(patch, "cut", turned)


def class_token_dropped(monkeypatch):
    monkeypatch.setattr(vit.ops, "broadcast_to", lambda x, shape: 0 * x + np.zeros(shape))


def class_token_last(monkeypatch):
    plain = ops.concat
    monkeypatch.setattr(vit.ops, "concat", lambda parts, axis: plain(parts[::-1], axis=axis))


def class_token_without_position(monkeypatch):
    def forgetful(self, pictures, dtype=None):
        x = self.patches(pictures) + self.positions.weight[1:]
        return ops.concat([ops.broadcast_to(self.class_token, (x.shape[0], 1, x.shape[2])), x], axis=1)

    monkeypatch.setattr(vit.PictureEmbedding, "__call__", forgetful)


def causal(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: True, lambda self, value: None), raising=False)


def not_causal(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: False, lambda self, value: None), raising=False)


def another_epsilon(monkeypatch):
    monkeypatch.setattr(LayerNorm, "__call__", lambda self, x: ops.layer_norm(x, self.weight, self.bias, eps=1e-6))


def gelu_for_quick_gelu(monkeypatch):
    monkeypatch.setitem(ACTIVATION, "quick_gelu", lambda x: ops.gelu(x))


def pooler_of_the_last_patch(monkeypatch):
    monkeypatch.setattr(ViT, "pool", lambda self, states: ops.tanh(self.pooler(states[:, -1])))


def pooler_without_tanh(monkeypatch):
    monkeypatch.setattr(ViT, "pool", lambda self, states: self.pooler(states[:, 0]))


def pooled_at_the_last_token(monkeypatch):
    monkeypatch.setattr(CLIPText, "_ends", lambda self, tokens: np.full(len(tokens), tokens.shape[1] - 1))


def pooled_at_the_last_end(monkeypatch):
    monkeypatch.setattr(
        CLIPText, "_ends", lambda self, tokens: tokens.shape[1] - 1 - (tokens == self.config.end_id)[:, ::-1].argmax(1)
    )


def norm_before_the_blocks_forgotten(monkeypatch):
    def without(self, pictures, **options):
        x = self.embedding(pictures)
        for block in self.blocks:
            x = block(x)
        return x

    monkeypatch.setattr(CLIPVision, "__call__", without)


def class_token_of_the_picture_not_normalized(monkeypatch):
    monkeypatch.setattr(CLIPVision, "pool", lambda self, states: states[:, 0])


def scale_not_exponentiated(monkeypatch):
    monkeypatch.setattr(
        CLIP, "__call__", lambda self, p, t, **o: self.encode_pictures(p) @ self.encode_texts(t).T * self.logit_scale
    )


def vectors_not_of_length_one(monkeypatch):
    monkeypatch.setattr(clip, "_unit", lambda x: x)


def contest_of_one_direction(monkeypatch):
    monkeypatch.setattr(
        CLIP, "loss", lambda self, b: ops.cross_entropy(self(b["pictures"], b["tokens"]), np.arange(len(b["tokens"])))
    )


OF_PICTURES = [
    patches_by_columns, pixels_by_columns, channels_last, class_token_dropped, class_token_last,
    class_token_without_position, causal, another_epsilon, gelu_for_quick_gelu,
]  # fmt: skip
OF_VIT = [*OF_PICTURES, pooler_of_the_last_patch, pooler_without_tanh]
OF_CLIP = [
    *OF_PICTURES, not_causal, pooled_at_the_last_token, pooled_at_the_last_end, norm_before_the_blocks_forgotten,
    class_token_of_the_picture_not_normalized, scale_not_exponentiated, vectors_not_of_length_one, contest_of_one_direction,
]  # fmt: skip


def check_fault(case, compare, plant, folder, monkeypatch) -> None:
    """The case is right, and with the fault it is not."""
    other, batch = case
    compare(other, from_pretrained(folder, dtype=np.float64), batch)
    plant(monkeypatch)
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(folder, dtype=np.float64), batch)


@pytest.mark.parametrize("plant", OF_VIT, ids=lambda f: f.__name__)
def test_a_fault_planted_in_vit_fails(plant, tmp_path, monkeypatch):
    other, batch = vit_case(QUICK_VIT, tmp_path, 0)
    assert telling(other.config)
    check_fault((other, batch), compare_vit, plant, tmp_path, monkeypatch)


@pytest.mark.parametrize("plant", OF_CLIP, ids=lambda f: f.__name__)
def test_a_fault_planted_in_clip_fails(plant, tmp_path, monkeypatch):
    other, batch = clip_case(QUICK_CLIP, tmp_path, eos_token_id=3)
    assert telling(other.config.vision_config) and (batch["tokens"] == 3).sum(1).max() > 1
    check_fault((other, batch), compare_clip, plant, tmp_path, monkeypatch)


QUICK_VIT, QUICK_CLIP = 45, 24
"""Cases whose patches have channels, rows and columns to be mistaken, and whose activation is quick_gelu."""


def telling(config) -> bool:
    return config.hidden_act == "quick_gelu" and config.num_channels > 1 and config.patch_size > 1


@pytest.mark.parametrize(("kind", "theirs"), list(zip(KINDS, THEIRS)))
def test_a_vit_saved_here_opens_there(kind, theirs, tmp_path):
    import torch
    import transformers

    config = ViTConfig(12, 4, 2, 2, 2, 8, 12, activation="relu", norm_eps=1e-6, qkv_bias=False, labels=("a", "b", "c"))
    ours = kind(config, rng=np.random.default_rng(0), dtype=np.float64)
    save_pretrained(ours, tmp_path)
    other = getattr(transformers, theirs).from_pretrained(tmp_path, dtype=torch.float64).eval()
    assert other.config.label2id == {"a": 0, "b": 1, "c": 2}
    pictures = np.random.default_rng(1).normal(size=(2, 2, 12, 12))
    np.testing.assert_allclose(other(torch.tensor(pictures))[0].detach().numpy(), ours(pictures).data, **WHOLE_MODEL)


CLIP_CONFIG = CLIPConfig(
    CLIPVisionConfig(12, 4, 2, 2, 2, 8, 12, activation="relu", norm_eps=1e-6),
    CLIPTextConfig(17, 7, 1, 3, 6, 10, activation="gelu", norm_eps=1e-7, end_id=5), 4, 0.3,
)  # fmt: skip


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_a_clip_saved_here_opens_there(kind, tmp_path):
    import torch
    import transformers

    config = {CLIP: CLIP_CONFIG, CLIPVision: CLIP_CONFIG.vision, CLIPText: CLIP_CONFIG.text}[kind]
    ours = kind(config, rng=np.random.default_rng(0), dtype=np.float64)
    save_pretrained(ours, tmp_path)
    theirs = getattr(transformers, CLIP_THEIRS[CLIP_KINDS.index(kind)])
    other = theirs.from_pretrained(tmp_path, dtype=torch.float64).eval()
    pictures, tokens = np.random.default_rng(1).normal(size=(2, 2, 12, 12)), np.array([[1, 9, 5, 3], [5, 2, 16, 6]])
    if kind is CLIP:
        said = other(input_ids=torch.tensor(tokens), pixel_values=torch.tensor(pictures)).logits_per_image
        found = ours(pictures, tokens)
    else:
        given = pictures if kind is CLIPVision else tokens
        said, found = other(torch.tensor(given))[0], ours(given)
    np.testing.assert_allclose(said.detach().numpy(), found.data, **WHOLE_MODEL)


@pytest.mark.parametrize(("layout", "kind"), [(0, "ViTConfig"), (1, "CLIPConfig"), (2, "CLIPVisionConfig"), (3, "CLIPTextConfig")])  # fmt: skip
def test_what_a_file_does_not_say_is_as_there(layout, kind):
    """Files of before transformers 5 leave out what is as they have it anyway."""
    import transformers

    table = (VITS[0], *CLIPS)[layout]
    inner = {"vision_config": {}, "text_config": {}} if kind == "CLIPConfig" else {}
    whole = json.loads(getattr(transformers, kind)().to_json_string(use_diff=False))
    assert read_config(table, {"model_type": table.model_type} | inner) == read_config(table, whole)
