"""LLaVA around Llama, Mistral, Qwen2 and Qwen3 against transformers: fifty random configurations in float64, logits,
loss, every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from in_double import in_double
from redraw import redraw
from test_llama_parity import FAMILIES, random_options
from test_vision_parity import check_gradients, pictures_for, sizes
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.models import (
    CLIPVisionConfig,
    LlamaConfig,
    LLaVA,
    LLaVAConfig,
    from_pretrained,
    llava,
    save_pretrained,
)
from tinygrad_llm.models.clip import CLIPVision
from tinygrad_llm.nn import Attention, patch

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 52
KINDS = list(FAMILIES)


@pytest.fixture(autouse=True)
def double():
    with in_double():
        yield


def random_case(seed: int, folder, **changed):
    """transformers' LLaVA of a random configuration, saved into the folder; and a batch, its image tokens anywhere."""
    import transformers

    rng = np.random.default_rng(seed)
    vision, words = sizes(rng, image_size=0), random_options(KINDS[seed % len(KINDS)], rng)
    vision |= {"image_size": vision["patch_size"] * int(rng.integers(1, 4))}
    strategy = str(rng.choice(["default", "full"]))
    count = (vision["image_size"] // vision["patch_size"]) ** 2 + (strategy == "full")
    time = count + int(rng.integers(2, 8))
    text = getattr(transformers, f"{FAMILIES[KINDS[seed % len(KINDS)]]}Config")(
        **words | {"max_position_embeddings": time}
    )
    layers = vision["num_hidden_layers"]
    image = int(rng.integers(words["vocab_size"]))
    options = {
        "vision_feature_layer": int(rng.integers(-layers - 1, layers + 1)) or -1,  # theirs takes 0 for none at all
        "vision_feature_select_strategy": strategy,
        "projector_hidden_act": str(rng.choice(["gelu", "relu"])), "multimodal_projector_bias": bool(rng.integers(2)),
        "image_token_index": image, "image_seq_length": count,
    } | changed  # fmt: skip
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**vision), text_config=text, **options
    )
    other = transformers.LlavaForConditionalGeneration(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    count = (vision["image_size"] // vision["patch_size"]) ** 2 + (config.vision_feature_select_strategy == "full")
    tokens = rng.integers(0, words["vocab_size"] - 1, (2, time))
    tokens += tokens >= image  # all but the image token
    for row in tokens:
        row[rng.choice(time, count, replace=False)] = image
    targets = np.concatenate([tokens[:, 1:], np.full((2, 1), ops.IGNORE)], 1)
    return other, {"pictures": pictures_for(config.vision_config, rng, 2), "tokens": tokens, "targets": targets}


def compare(other, ours, batch) -> None:
    """Logits, loss, and the gradient of every parameter."""
    import torch

    tokens = torch.tensor(batch["tokens"])
    said = other(input_ids=tokens, pixel_values=torch.tensor(batch["pictures"]), labels=tokens)
    found = ours(batch["pictures"], batch["tokens"])
    np.testing.assert_allclose(found.data, said.logits.detach().numpy(), **WHOLE_MODEL)
    loss = ours.loss(batch)
    np.testing.assert_allclose(loss.item(), said.loss.item(), **WHOLE_MODEL)
    check_gradients(ours, loss, other, said.loss)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_llava_equals_transformers(seed, tmp_path):
    other, batch = random_case(seed, tmp_path)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    assert type(ours) is LLaVA
    compare(other, ours, batch)


def read_backwards(monkeypatch):
    plain = LLaVA.features
    monkeypatch.setattr(LLaVA, "features", lambda self, *args: plain(self, *args)[:, ::-1])


def features_of_the_other_picture(monkeypatch):
    plain = LLaVA.features
    monkeypatch.setattr(LLaVA, "features", lambda self, *args: plain(self, *args)[::-1])


def the_last_layer(monkeypatch):
    monkeypatch.setattr(LLaVAConfig, "layers", property(lambda self: self.vision.n_layer))


def one_layer_too_early(monkeypatch):
    monkeypatch.setattr(
        LLaVAConfig, "layers", property(lambda self: self.feature_layer % (self.vision.n_layer + 1) - 1)
    )


def last_patch_dropped_instead_of_the_class_token(monkeypatch):
    def wrong(self, pictures, rng=None, dtype=None):
        return self.projector(self.vision_tower(pictures, layers=self.config.layers)[:, :-1])

    monkeypatch.setattr(LLaVA, "features", wrong)


def normalized_as_the_pooled(monkeypatch):
    def wrong(self, pictures, rng=None, dtype=None):
        tower = self.vision_tower
        return self.projector(tower.norm_of_pooled(tower(pictures, layers=self.config.layers))[:, 1:])

    monkeypatch.setattr(LLaVA, "features", wrong)


def norm_before_the_blocks_forgotten(monkeypatch):
    def without(self, pictures, *, rng=None, dtype=None, layers=None):
        x = self.embedding(pictures)
        for block in self.blocks[:layers]:
            x = block(x)
        return x

    monkeypatch.setattr(CLIPVision, "__call__", without)


def projector_without_its_activation(monkeypatch):
    monkeypatch.setattr(llava.Projector, "__call__", lambda self, x: self.linear_2(self.linear_1(x)))


def words_for_pictures(monkeypatch):
    monkeypatch.setattr(llava.SeeingDecoder, "_seen", lambda self, tokens, words: words)


def patches_by_columns(monkeypatch):
    plain = patch.cut
    monkeypatch.setattr(patch, "cut", lambda pictures, side: plain(pictures.swapaxes(-1, -2), side))


def a_causal_encoder_of_pictures(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: True, lambda self, value: None), raising=False)


FAULTS = [
    read_backwards, features_of_the_other_picture, the_last_layer, one_layer_too_early, words_for_pictures,
    last_patch_dropped_instead_of_the_class_token, normalized_as_the_pooled, norm_before_the_blocks_forgotten,
    projector_without_its_activation, patches_by_columns, a_causal_encoder_of_pictures,
]  # fmt: skip
TELLING = 5
"""A case with several patches of several pixels."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, batch = random_case(TELLING, tmp_path, vision_feature_layer=-2, vision_feature_select_strategy="default")
    vision = other.config.vision_config
    assert vision.image_size > vision.patch_size > 1 and vision.num_hidden_layers > 1
    compare(other, from_pretrained(tmp_path, dtype=np.float64), batch)
    plant(monkeypatch)
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), batch)


@pytest.mark.parametrize("class_token", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_a_model_saved_here_opens_there(class_token, tied, tmp_path):
    import torch
    import transformers

    vision = CLIPVisionConfig(12, 4, 2, 2, 2, 8, 12, activation="relu", norm_eps=1e-6)
    text = LlamaConfig(17, 20, 1, 2, 8, 10, n_kv_head=1, rope_base=30.0, tied=tied)
    config = LLaVAConfig(
        vision, text, 5, feature_layer=-1, class_token=class_token, activation="relu", projector_bias=False
    )
    ours = LLaVA(config, rng=np.random.default_rng(0), dtype=np.float64)
    save_pretrained(ours, tmp_path)
    other = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.float64).eval()
    rng = np.random.default_rng(1)
    pictures, tokens = rng.normal(size=(2, 2, 12, 12)), rng.integers(6, 17, (2, 14))
    tokens[:, 1 : 1 + config.n_feature] = 5
    said = other(input_ids=torch.tensor(tokens), pixel_values=torch.tensor(pictures)).logits
    np.testing.assert_allclose(said.detach().numpy(), ours(pictures, tokens).data, **WHOLE_MODEL)
