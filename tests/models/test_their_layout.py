"""What is written is what Hugging Face's models read: names, sides of matrices and keys, told here once more by hand."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from cached_models import redrawn

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models import GPT, EncoderDecoder, EncoderDecoderConfig, GPTConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.hugging_face import from_hugging_face, to_hugging_face


def gpt(dtype=np.float64, **options):
    return redrawn(GPT(GPTConfig(11, 8, 2, 2, 6, **options), rng=np.random.default_rng(0), dtype=dtype), 3)


def bart(dtype=np.float64, **options):
    sizes = {"vocab_size": 13, "block_size": 8, "n_encoder_layer": 1, "n_decoder_layer": 2, "n_head": 2, "n_embd": 6}
    config = EncoderDecoderConfig(**sizes, n_hidden=10, **options)
    model = redrawn(EncoderDecoder(config, rng=np.random.default_rng(0), dtype=dtype), 3)
    model.logits_bias.assign(np.random.default_rng(4).normal(size=(1, 13)))
    return model


def gpt_2s_tensors(state, bias):
    """OpenAI's names; their Conv1D holds (inputs, outputs), and q, k and v as one."""
    theirs = {"transformer.wte.weight": state["token_embedding.weight"], "transformer.wpe.weight": state["position_embedding.weight"]}  # fmt: skip
    tails = ("weight", "bias")

    def turned(path):
        array = state.get(path)
        return array.T if array is not None and array.ndim == 2 else array

    for i, tail in product(range(2), tails):
        ours, there = f"blocks.{i}.", f"transformer.h.{i}."
        qkv = [turned(f"{ours}attention.{part}_proj.{tail}") for part in "qkv"]
        theirs[f"{there}attn.c_attn.{tail}"] = None if qkv[0] is None else np.concatenate(qkv, -1)
        names = {"ln_1": "norm_1", "attn.c_proj": "attention.o_proj", "ln_2": "norm_2", "mlp.c_fc": "mlp.up_proj",
                 "mlp.c_proj": "mlp.down_proj"}  # fmt: skip
        theirs |= {f"{there}{name}.{tail}": turned(f"{ours}{own}.{tail}") for name, own in names.items()}
    theirs |= {f"transformer.ln_f.{tail}": state.get(f"norm.{tail}") for tail in tails}
    if "output.weight" in state:
        theirs["lm_head.weight"] = state["output.weight"]
    assert bias or [name for name, array in theirs.items() if array is None]
    return theirs


def barts_tensors(state):
    """Every linear layer as it is here; two unread rows before the positions."""
    names = {
        "position_embedding": "embed_positions", "embedding_norm": "layernorm_embedding", "blocks": "layers",
        "self_attention_norm": "self_attn_layer_norm", "cross_attention_norm": "encoder_attn_layer_norm",
        "self_attention": "self_attn", "cross_attention": "encoder_attn", "o_proj": "out_proj", "mlp_norm": "final_layer_norm",
        "up_proj": "fc1", "down_proj": "fc2",
    }  # fmt: skip
    theirs = {"model.shared.weight": state["token_embedding.weight"], "final_logits_bias": state["logits_bias"]}
    for path, array in state.items():
        if path.startswith(("encoder", "decoder")):
            parts = [names.get(part, part) for part in path.split(".") if part != "mlp"]
            padded = np.concatenate([np.zeros((2, 6)), array]) if "embed_positions" in parts else array
            theirs["model." + ".".join(parts)] = padded
    return theirs


@pytest.mark.parametrize("options", [{}, {"tied": False}, {"bias": False}, {"bias": False, "tied": False}], ids=str)
def test_gpt_2s_tensors_stand_under_its_names_with_inputs_first(options):
    model = gpt(**options)
    found, expected = to_hugging_face(model)[1], gpt_2s_tensors(model.state_dict(), options.get("bias", True))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], np.zeros(found[name].shape) if array is None else array, name)
        assert array is None or found[name].shape == array.shape


def test_barts_tensors_stand_under_its_names():
    model = bart()
    found, expected = to_hugging_face(model)[1], barts_tensors(model.state_dict())
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, name)


def test_what_is_written_by_hand_is_read():
    model = gpt(tied=False)
    again = from_hugging_face(to_hugging_face(model)[0], gpt_2s_tensors(model.state_dict(), True), np.float64)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, name)
    model = bart()
    again = from_hugging_face(to_hugging_face(model)[0], barts_tensors(model.state_dict()), np.float64)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, name)


GPT_2S_KEYS = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 11, "n_positions": 8, "n_layer": 2, "n_head": 2,
    "n_embd": 6, "n_inner": None, "tie_word_embeddings": True, "bias": True, "resid_pdrop": 0.25, "embd_pdrop": 0.25,
    "attn_pdrop": 0.25, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False, "bos_token_id": None, "eos_token_id": None,
}  # fmt: skip
BARTS_KEYS = {
    "architectures": ["BartForConditionalGeneration"], "model_type": "bart", "vocab_size": 13, "max_position_embeddings": 8,
    "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 6,
    "encoder_ffn_dim": 10, "decoder_ffn_dim": 10, "activation_function": "relu", "scale_embedding": True, "init_std": 0.5,
    "pad_token_id": 3, "decoder_start_token_id": 4, "eos_token_id": 5, "bos_token_id": 4, "forced_eos_token_id": None,
    "dropout": 0.25, "attention_dropout": 0.25, "activation_dropout": 0.25, "is_encoder_decoder": True,
    "tie_word_embeddings": True,
}  # fmt: skip
CHANGED = {"dropout": 0.25, "activation": "relu", "scale_embedding": True, "init_std": 0.5, "pad_id": 3, "start_id": 4, "end_id": 5}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("make", "keys"), [(lambda d: gpt(d, dropout=0.25), GPT_2S_KEYS), (lambda d: bart(d, **CHANGED), BARTS_KEYS)]
)
def test_config_json_says_all_that_was_configured(make, keys, dtype, tmp_path):
    save_pretrained(make(np.dtype(dtype)), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    assert said == keys | {"torch_dtype": dtype}


def test_each_option_of_a_configuration_is_read_back(tmp_path):
    changes = [(gpt, {name: value}) for name, value in (("dropout", 0.3), ("bias", False), ("tied", False))]
    changes += [(bart, {name: value}) for name, value in CHANGED.items()]
    for number, (make, change) in enumerate(changes):
        made, plain = make(**change), make()
        save_pretrained(made, tmp_path / str(number))
        again = from_pretrained(tmp_path / str(number), np.float64)
        assert again.config == made.config != plain.config
        tokens = np.array([[4, 6, 2], [7, 3, 9]])
        read, written = (m(tokens, tokens).data if make is bart else m(tokens).data for m in (again, made))
        np.testing.assert_allclose(read, written, rtol=1e-12)


def test_the_file_says_the_format_that_transformers_asks_for(tmp_path):
    save_pretrained(gpt(), tmp_path)
    content = (tmp_path / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"] == {"format": "pt"}


def test_a_whole_file_is_read_before_an_index_that_was_left_behind(tmp_path):
    save_pretrained(gpt(), tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "none.safetensors"}}))
    assert from_pretrained(tmp_path).config == gpt().config


OTHERS_SETTINGS = [
    (gpt, {"scale_attn_weights": False}), (gpt, {"scale_attn_by_inverse_layer_idx": True}), (gpt, {"activation_function": "gelu"}),
    (gpt, {"activation_function": "gelu_fast"}), (gpt, {"layer_norm_epsilon": 1e-6}), (gpt, {"layer_norm_epsilon": 1e-12}), (gpt, {"n_inner": 6}),
    (gpt, {"is_encoder_decoder": True}), (gpt, {"is_decoder": True}), (gpt, {"tie_encoder_decoder": True}), (gpt, {"cross_attention_hidden_size": 6}),
    (bart, {"is_decoder": True}), (bart, {"tie_encoder_decoder": True}), (bart, {"num_hidden_layers": 2}), (bart, {"normalize_before": True}),
    (bart, {"normalize_embedding": False}), (bart, {"add_final_layer_norm": True}), (bart, {"add_bias_logits": True}),
    (bart, {"static_position_embeddings": True}), (bart, {"extra_pos_embeddings": 0}), (bart, {"add_cross_attention": True}),
    (bart, {"is_encoder_decoder": False}), (bart, {"tie_word_embeddings": False}), (bart, {"decoder_ffn_dim": 6}),
    (bart, {"decoder_attention_heads": 1}), (bart, {"pruned_heads": {"1": [0]}}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "change"), OTHERS_SETTINGS, ids=str)
def test_a_setting_under_which_another_model_is_computed_is_refused(make, change):
    config, arrays = to_hugging_face(make())
    with pytest.raises(CheckpointError, match=next(iter(change))):
        from_hugging_face(config | change, arrays)


@pytest.mark.parametrize("make", [gpt, bart])
def test_what_changes_no_answer_is_read_over(make):
    config, arrays = to_hugging_face(make())
    about = {
        "use_cache": False,
        "torch_dtype": "float16",
        "max_length": 20,
        "bos_token_id": 0,
        "transformers_version": "9",
    }
    again = from_hugging_face(config | about, arrays, np.float64)
    for name, array in make().state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, name)
    with pytest.raises(CheckpointError, match="rope_theta"):
        from_hugging_face(config | {"rope_theta": 1e4}, arrays)


@pytest.mark.parametrize("half", ["F16", "BF16"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_half_precision_are_the_same_numbers_in_the_precision_asked_for(half, dtype, tmp_path):
    save_pretrained(gpt(np.float32), tmp_path)
    header, data, expected, start = {}, [], {}, 0
    for name, array in to_hugging_face(gpt(np.float32))[1].items():
        bits = array.astype("<f2").view("<u2") if half == "F16" else (array.view(np.uint32) >> 16).astype("<u2")
        header[name] = {"dtype": half, "shape": list(array.shape), "data_offsets": [start, start + bits.nbytes]}
        start += bits.nbytes
        data.append(bits.tobytes())
        expected[name] = bits.view("<f2") if half == "F16" else (bits.astype(np.uint32) << 16).view(np.float32)
    raw = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + b"".join(data))
    model = from_pretrained(tmp_path, dtype)
    assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
    for name, array in to_hugging_face(model)[1].items():
        np.testing.assert_array_equal(array, expected[name].astype(dtype), name)
