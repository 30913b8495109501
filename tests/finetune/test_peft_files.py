"""adapter_config.json and adapter_model.safetensors by hand: what they say is done, and what cannot be done is refused by its name."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from cached_models import redrawn

from tinygrad_llm.errors import CheckpointError, StorageError
from tinygrad_llm.finetune import LoraConfig, PeftModel, get_peft_model
from tinygrad_llm.finetune.peft_files import CONFIG, WEIGHTS, save_adapter
from tinygrad_llm.models import GPT, RNNLM, GPTConfig, Llama, LlamaConfig, RNNLMConfig
from tinygrad_llm.models.weights import load_weights

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 11, (2, 5))
NAME = "base_model.model.transformer.h.0.attn.c_attn"
SAID = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "target_modules": ["c_attn"], "fan_in_fan_out": True}
ARRAYS = {f"{NAME}.lora_A.weight": RNG.normal(size=(2, 8)), f"{NAME}.lora_B.weight": RNG.normal(size=(24, 2))}


def gpt():
    return redrawn(GPT(GPTConfig(11, 8, 1, 2, 8), rng=np.random.default_rng(1), dtype=np.float64), 1)


def opened(tmp_path, said=SAID, arrays=ARRAYS, model=None):
    save_adapter(tmp_path, said, arrays)
    return PeftModel.from_pretrained(model or gpt(), tmp_path)


@pytest.mark.parametrize(
    ("changes", "scaling"),
    [
        ({}, 3.0), ({"use_rslora": True}, 6 / math.sqrt(2)), ({"alpha_pattern": {"attn.c_attn": 10}}, 5.0), ({"r": 5, "rank_pattern": {"c_attn": 2}}, 3.0),
        ({"alpha_pattern": {"attn": 10}}, 3.0), ({"alpha_pattern": {r"h\.\d+\.attn\.c_attn": 4, "c_attn": 10}}, 2.0), ({"lora_alpha": 1, "lora_dropout": 0.5}, 0.5),
    ],
)  # fmt: skip
def test_what_a_configuration_says_is_done(changes, scaling, tmp_path):
    """To the packed matrix of queries, keys and values: W + s B A."""
    model = opened(tmp_path, SAID | changes)
    plain = gpt()
    added = scaling * ARRAYS[f"{NAME}.lora_B.weight"] @ ARRAYS[f"{NAME}.lora_A.weight"]
    layer = plain.blocks[0].attention
    for part, rows in zip((layer.q_proj, layer.k_proj, layer.v_proj), np.split(added, 3)):
        part.weight.assign(part.weight.numpy() + rows)
    np.testing.assert_allclose(model(TOKENS).numpy(), plain(TOKENS).numpy(), rtol=1e-10, atol=1e-12)
    assert model.n_trainable() == 2 * 8 + 24 * 2  # A is one, which the three share
    model.save_pretrained(tmp_path / "again")
    again = load_weights(tmp_path / "again" / WEIGHTS)
    assert again.keys() == ARRAYS.keys() and all(np.array_equal(again[name], ARRAYS[name]) for name in ARRAYS)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"peft_type": "VERA"}, "peft_type"), ({"bias": "all"}, "bias"), ({"modules_to_save": ["lm_head"]}, "modules_to_save"), ({"lora_bias": True}, "lora_bias"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"), ({"layer_replication": [[0, 1]]}, "layer_replication"), ({"something_new": 3}, "something_new"),
        ({"r": 3}, "c_attn"), ({"use_dora": True}, "c_attn"),
        ({"rank_pattern": {"(": 2}}, "rank_pattern"), ({"alpha_pattern": [3]}, "alpha_pattern"),
    ],
)  # fmt: skip
def test_what_it_says_beyond_that_is_refused_by_its_name(changes, word, tmp_path):
    with pytest.raises(CheckpointError, match=word):
        opened(tmp_path, SAID | changes)


def test_what_says_nothing_is_passed_over(tmp_path):
    said = {
        "modules_to_save": None,
        "bias": "none",
        "something_new": None,
        "another": {},
        "use_qalora": False,
        "eva_config": None,
        "peft_version": "0.21",
    }
    opened(tmp_path, SAID | said)


@pytest.mark.parametrize(
    "arrays",
    [
        {}, {f"{NAME}.lora_A.weight": ARRAYS[f"{NAME}.lora_A.weight"]}, ARRAYS | {f"{NAME}.lora_C.weight": np.zeros(3)},
        ARRAYS | {f"{NAME}.lora_B.weight": np.zeros((8, 2))}, ARRAYS | {"base_model.model.transformer.h.1.attn.c_attn.lora_A.weight": np.zeros((2, 8))},
        ARRAYS | {"base_model.model.lm_head.weight": np.zeros((11, 8))},
    ],
)  # fmt: skip
def test_tensors_that_are_missing_left_over_or_of_another_shape_are_refused(arrays, tmp_path):
    with pytest.raises(CheckpointError, match=WEIGHTS):
        opened(tmp_path, arrays=arrays)


def test_layers_with_an_a_each_are_written_as_one_of_their_common_rank(tmp_path):
    """Of queries and values there are columns of B, and zeros between; keys have none."""
    model = get_peft_model(gpt(), LoraConfig(("q_proj", "v_proj"), r=2, lora_alpha=6), rng=np.random.default_rng(2))
    layers = model.adapted()
    for layer in layers.values():
        layer.adapters["default"].lora_B.assign(RNG.normal(size=(8, 2)))
    model.save_pretrained(tmp_path)
    said, arrays = json.loads((tmp_path / CONFIG).read_text()), load_weights(tmp_path / WEIGHTS)
    q, v = (layers[f"blocks.0.attention.{name}"].adapters["default"] for name in ("q_proj", "v_proj"))
    np.testing.assert_array_equal(arrays[f"{NAME}.lora_A.weight"], np.concatenate([q.lora_A.numpy(), v.lora_A.numpy()]))
    b = np.zeros((24, 4))
    b[:8, :2], b[16:, 2:] = q.lora_B.numpy(), v.lora_B.numpy()
    np.testing.assert_array_equal(arrays[f"{NAME}.lora_B.weight"], b)
    assert said["rank_pattern"] == {"transformer.h.0.attn.c_attn": 4} and said["alpha_pattern"] == {
        "transformer.h.0.attn.c_attn": 12.0
    }
    again = PeftModel.from_pretrained(gpt(), tmp_path)
    np.testing.assert_allclose(again(TOKENS).numpy(), model(TOKENS).numpy(), rtol=1e-10, atol=1e-12)


def test_names_are_those_of_the_weights_files(tmp_path):
    plain = Llama(LlamaConfig(11, 8, 1, 2, 8, 12, tied=False), rng=np.random.default_rng(1))
    get_peft_model(plain, LoraConfig("**", r=1), rng=np.random.default_rng(2)).save_pretrained(tmp_path)
    names = {name.removeprefix("base_model.model.") for name in load_weights(tmp_path / WEIGHTS)}
    parts = [*(f"self_attn.{p}_proj" for p in "qkvo"), *(f"mlp.{p}_proj" for p in ("gate", "up", "down"))]
    modules = ["lm_head", *(f"model.layers.0.{part}" for part in parts)]
    assert names == {f"{module}.lora_{letter}.weight" for module in modules for letter in "AB"}


def test_a_model_of_no_table_has_no_file(tmp_path):
    model = get_peft_model(RNNLM(RNNLMConfig(11, 4, 6), rng=np.random.default_rng(1)), LoraConfig("**", r=1), rng=RNG)
    with pytest.raises(CheckpointError, match="RNNLM"):
        model.save_pretrained(tmp_path)


def test_a_folder_that_cannot_be_written_or_is_not_whole_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    model = opened(tmp_path / "adapter")
    with pytest.raises(StorageError, match="file"):
        model.save_pretrained(tmp_path / "file")
    for name in (CONFIG, WEIGHTS):
        opened(tmp_path / "adapter")
        (tmp_path / "adapter" / name).unlink()
        with pytest.raises(CheckpointError, match=name):
            PeftModel.from_pretrained(gpt(), tmp_path / "adapter")
