"""Files in Hugging Face's layout: what is theirs opens as what it is, and what cannot be that is refused by its name."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import Module, nn
from tinygrad_llm.errors import CheckpointError, StorageError
from tinygrad_llm.models import (
    GPT,
    RNNLM,
    EncoderDecoder,
    EncoderDecoderConfig,
    GPTConfig,
    RNNLMConfig,
    from_pretrained,
    save_pretrained,
)
from tinygrad_llm.models.hugging_face import LAYOUTS, from_hugging_face, to_hugging_face
from tinygrad_llm.models.layout import Stored
from tinygrad_llm.models.weights import load_weights, save_weights

CONFIGS = {
    GPT: GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8),
    EncoderDecoder: EncoderDecoderConfig(13, 8, n_encoder_layer=1, n_decoder_layer=2, n_head=2, n_embd=8, n_hidden=10),
}
LAYOUT = {layout.model_type: layout for layout in LAYOUTS}


def model(kind=GPT, dtype=np.float64, **changes):
    made = kind(type(CONFIGS[kind])(**vars(CONFIGS[kind]) | changes), rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for leaf in [*made.parameters(), *made.buffers()]:  # the first weights are a weak test: all norms one, biases zero
        leaf.assign(rng.normal(0, 0.3, leaf.shape) if leaf.ndim > 1 else rng.uniform(0.5, 1.5, leaf.shape))
    return made


def bart(dtype=np.float64, **changes):
    return model(EncoderDecoder, dtype, **changes)


def logits(made):
    tokens = np.arange(6).reshape(2, 3)
    return made(tokens + 3, tokens).data if isinstance(made, EncoderDecoder) else made(tokens).data


def same(a, b):
    assert a.config == b.config and a.state_dict().keys() == b.state_dict().keys()
    for name, array in a.state_dict().items():
        np.testing.assert_array_equal(array, b.state_dict()[name], err_msg=name)


# -- what opens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "made",
    [
        model, lambda d: model(GPT, d, bias=False), lambda d: model(GPT, d, tied=False, dropout=0.2),
        lambda d: model(GPT, d, bias=False, tied=False), bart,
        lambda d: bart(d, scale_embedding=True, activation="relu", dropout=0.25, pad_id=0, start_id=4, end_id=5),
    ],
)  # fmt: skip
def test_what_is_saved_opens_to_the_same_bits(made, dtype, tmp_path):
    ours = made(GPT, dtype) if made is model else made(dtype)
    save_pretrained(ours, tmp_path / "new")
    again = from_pretrained(tmp_path / "new", dtype)
    assert type(again) is type(ours)
    same(again, ours)
    assert {array.dtype for array in again.state_dict().values()} == {np.dtype(dtype)}
    (
        again.loss({"source": np.ones((1, 2), int), "tokens": np.ones((1, 2), int), "targets": np.ones((1, 2), int)})
    ).backward()
    again.parameters()[0].assign(np.zeros(again.parameters()[0].shape))  # the memory is the model's own


def test_the_file_s_arrays_are_not_the_model_s():
    config, arrays = to_hugging_face(model())
    kept = {name: array.copy() for name, array in arrays.items()}
    again = from_hugging_face(config, arrays, np.float64)
    for p in again.parameters():
        p.assign(np.zeros(p.shape))
    assert all(np.array_equal(arrays[name], kept[name]) for name in kept)


def test_without_biases_theirs_are_zeros_and_ours_are_gone():
    ours = model(bias=False)
    config, arrays = to_hugging_face(ours)
    zeros = [name for name, array in arrays.items() if not array.any()]
    assert zeros and all(name.endswith(".bias") for name in zeros) and len(zeros) == 2 * 6 + 1
    assert not [n for n in from_hugging_face(config, arrays).state_dict() if n.endswith("bias")]
    with_biases = from_hugging_face({k: v for k, v in config.items() if k != "bias"}, arrays, np.float64)
    assert with_biases.config.bias
    np.testing.assert_allclose(logits(with_biases), logits(ours), rtol=1e-12)
    with pytest.raises(CheckpointError, match="c_attn.bias.*bias = true"):
        from_hugging_face(config, arrays | {"transformer.h.1.attn.c_attn.bias": np.ones(24)})
    with pytest.raises(CheckpointError, match="c_attn.bias.*bias = true"):
        from_hugging_face(
            config, arrays | {"transformer.h.1.attn.c_attn.bias": (np.arange(24) == 5).astype(np.float32)}
        )


def test_a_tied_head_may_stand_in_the_file_and_must_be_the_table():
    config, arrays = to_hugging_face(model())
    table = arrays["transformer.wte.weight"]
    same(from_hugging_face(config, arrays | {"lm_head.weight": table}, np.float64), model())
    with pytest.raises(CheckpointError, match="lm_head.*tied"):
        from_hugging_face(config, arrays | {"lm_head.weight": table + 1})
    untied = from_hugging_face(
        config | {"tie_word_embeddings": False}, arrays | {"lm_head.weight": table + 1}, np.float64
    )
    np.testing.assert_array_equal(untied.output.weight.data, table + 1)
    with pytest.raises(CheckpointError, match="missing lm_head.weight"):
        from_hugging_face(config | {"tie_word_embeddings": False}, arrays)


def test_the_table_s_other_names_are_read_if_they_agree():
    config, arrays = to_hugging_face(bart())
    table = arrays["model.shared.weight"]
    for names in (["lm_head.weight"], ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"]):
        same(from_hugging_face(config, arrays | dict.fromkeys(names, table), np.float64), bart())
        moved = {n: a for n, a in arrays.items() if n != "model.shared.weight"} | dict.fromkeys(names, table)
        same(from_hugging_face(config, moved, np.float64), bart())
        with pytest.raises(CheckpointError, match="not tied"):
            from_hugging_face(config, arrays | {names[-1]: table + 1})
    without = {n: a for n, a in arrays.items() if n != "final_logits_bias"}
    assert not from_hugging_face(config, without).logits_bias.data.any()


def test_old_files_with_masks_and_without_the_prefix_open():
    config, arrays = to_hugging_face(model())
    bare = {name.removeprefix("transformer."): array for name, array in arrays.items()}
    bare |= {"h.0.attn.bias": np.tril(np.ones((1, 1, 8, 8))), "h.0.attn.masked_bias": np.array(-1e4)}
    same(from_hugging_face(config, bare | {"lm_head.weight": bare["wte.weight"]}, np.float64), model())
    with pytest.raises(CheckpointError, match="extra transformer.h.0.attn.more"):
        from_hugging_face(config, bare | {"h.0.attn.more": np.ones(1)})
    config, arrays = to_hugging_face(bart())
    bare = {name.removeprefix("model."): array for name, array in arrays.items() if name != "final_logits_bias"}
    np.testing.assert_array_equal(
        from_hugging_face(config, bare, np.float64).token_embedding.weight.data, bare["shared.weight"]
    )


def test_files_that_differ_in_dropout_alone_open():
    config, arrays = to_hugging_face(model())
    again = from_hugging_face(config | {"embd_pdrop": 0.1, "attn_pdrop": 0.2, "resid_pdrop": 0.3}, arrays, np.float64)
    assert again.config.dropout == 0.3
    np.testing.assert_allclose(logits(again), logits(model()), **WHOLE_MODEL)
    config, arrays = to_hugging_face(bart())
    again = from_hugging_face(config | {"dropout": 0.3, "attention_dropout": 0.0, "encoder_layerdrop": 0.5}, arrays)
    assert again.config.dropout == 0.3


def test_a_size_that_is_said_twice_is_said_twice():
    config, arrays = to_hugging_face(bart())
    layout = LAYOUT[config["model_type"]]
    for key in (key for size in layout.sizes.values() for key in size.same):
        with pytest.raises(CheckpointError, match=key):
            from_hugging_face({k: v for k, v in config.items() if k != key}, arrays)


def test_absent_entries_mean_what_they_mean_there():
    for made, kept in ((model(), {"resid_pdrop"}), (bart(), {"dropout"})):
        config, arrays = to_hugging_face(made)
        layout = LAYOUT[config["model_type"]]
        sizes = {key for size in layout.sizes.values() for key in (size.key, *size.same)}
        least = {key: value for key, value in config.items() if key in {"model_type"} | sizes | kept}
        same(from_hugging_face(least, arrays, np.float64), made)
        for key in kept:
            assert from_hugging_face({k: v for k, v in least.items() if k != key}, arrays).config.dropout == 0.1


def test_the_smallest_model_there_is_opens_and_none_below_it():
    smallest = EncoderDecoderConfig(1, 1, 1, 1, 1, 1, 1, pad_id=0, start_id=0, end_id=0)
    config, arrays = to_hugging_face(EncoderDecoder(smallest, rng=np.random.default_rng(0)))
    assert from_hugging_face(config, arrays).config == smallest
    for name in ("vocab_size", "max_position_embeddings", "encoder_layers", "d_model"):
        with pytest.raises(CheckpointError, match=name):
            from_hugging_face(config | {name: 0}, arrays)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("shards", [False, True])
def test_half_precision_and_several_files_open(dtype, shards, tmp_path):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=50, n_positions=16, n_layer=3, n_head=2, n_embd=16, bos_token_id=0, eos_token_id=0)
    other = redraw_model(GPT2LMHeadModel(config)).to(getattr(torch, dtype))
    other.save_pretrained(tmp_path, **{"max_shard_size": "10KB"} if shards else {})
    assert (tmp_path / "model.safetensors.index.json").exists() is shards
    ours, tokens = from_pretrained(tmp_path), np.array([[3, 1, 4]])
    theirs = other.float()(torch.tensor(tokens)).logits.detach().numpy()
    np.testing.assert_allclose(ours(tokens).data, theirs, rtol=1e-4, atol=1e-4)
    for name, array in to_hugging_face(ours)[1].items():
        np.testing.assert_array_equal(array, other.state_dict()[name].numpy(), err_msg=name)


def redraw_model(other):
    redraw(other, 0)
    return other.eval()


# -- what is refused when it is opened -------------------------------------------------------------------------------

WRONG = {
    GPT: [
        ({"model_type": "gemma"}, "model_type.*gpt2, bart.*'gemma'"), ({"model_type": None}, "model_type"), ({"n_layer": 3}, "n_layer.*2, in"),
        ({"n_embd": "8"}, "n_embd"), ({"n_head": 0}, "n_head"), ({"n_head": 3}, "n_head"), ({"n_head": True}, "n_head"),
        ({"activation_function": "relu"}, "activation_function.*gelu_new"), ({"vocab_size": 12}, "vocab_size.*11, in"),
        ({"n_positions": None}, "n_positions"), ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by"),
        ({"scale_attn_weights": None}, "scale_attn_weights"), ({"n_inner": 9}, "n_inner.*32"), ({"layer_norm_epsilon": 1e-6}, "epsilon"),
        ({"resid_pdrop": 1.5}, "dropout"), ({"resid_pdrop": "a"}, "resid_pdrop"), ({"tie_word_embeddings": "false"}, "tie_word"),
        ({"add_cross_attention": True}, "add_cross"), ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads"), ({"rope_theta": 1e4, "alibi": True}, "alibi, rope_theta"),
    ],
    EncoderDecoder: [
        ({"model_type": "gpt2"}, "keys of gpt2.*d_model"), ({"is_encoder_decoder": False}, "is_encoder_decoder"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"), ({"d_model": None}, "d_model"), ({"d_model": 8.0}, "d_model"),
        ({"decoder_attention_heads": 1}, "decoder_attention_heads"), ({"decoder_ffn_dim": 11}, "decoder_ffn_dim"),
        ({"activation_function": "tanh"}, "activation"), ({"pad_token_id": None}, "pad_token_id"), ({"eos_token_id": [2, 3]}, "eos_token_id"),
        ({"eos_token_id": 13}, "end_id"), ({"encoder_attention_heads": 3, "decoder_attention_heads": 3}, "n_head"),
        ({"normalize_before": True}, "normalize_before"), ({"encoder_layers": 2}, "encoder_layers.*1, in"),
        ({"init_std": "a"}, "init_std"), ({"max_position_embeddings": 9}, "max_position_embeddings.*8, in"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "change", "words"), [(k, c, w) for k, pairs in WRONG.items() for c, w in pairs], ids=str
)
def test_another_model_s_configuration_is_refused_by_name(kind, change, words):
    config, arrays = to_hugging_face(model(kind))
    with pytest.raises(CheckpointError, match=words):
        from_hugging_face(config | change, arrays)


def test_a_key_that_says_nothing_is_no_reason_to_refuse():
    config, arrays = to_hugging_face(model())
    nothing = {"rope_scaling": None, "n_inner": 32, "activation_function": "gelu_pytorch_tanh", "pruned_heads": {}}
    same(from_hugging_face(config | nothing, arrays, np.float64), model())


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("number", [10**6, 10**15])
def test_sizes_that_are_not_the_file_s_are_refused_before_memory_is_taken(kind, number):
    config, arrays = to_hugging_face(model(kind))
    for ours, size in LAYOUT[config["model_type"]].sizes.items():
        changed = config | dict.fromkeys((size.key, *size.same), number)
        tracemalloc.start()
        with pytest.raises(CheckpointError, match=f"{size.key}|{ours}"):
            from_hugging_face(changed, arrays)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 500_000, ours


@pytest.mark.parametrize("kind", CONFIGS)
def test_layers_without_tensors_are_refused_before_they_are_made(kind):
    """A file that names a norm a layer, empty, and no more: as many layers as it likes, each as wide as it likes."""
    config, arrays = to_hugging_face(model(kind, np.float32, n_embd=512))
    deep = [(ours, size) for ours, size in LAYOUT[config["model_type"]].sizes.items() if "*" in size.tensor]
    for ours, size in deep:
        more = {size.tensor.replace("*", str(i)): np.zeros(0) for i in range(getattr(CONFIGS[kind], ours), 2000)}
        tracemalloc.start()
        with pytest.raises(CheckpointError, match="missing"):
            from_hugging_face(config | {size.key: 2000}, arrays | more)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 45_000_000, ours  # the norms and biases of two thousand such layers take more


def test_a_table_says_names_of_names_and_what_lies_as_one():
    tensors = {
        "blocks.*.experts.*.down": "layers.*.moe.*.w2",
        "blocks.*.experts.*.{gate,up}": Stored("layers.*.moe.*.w13", transposed=True),
        "blocks.*.*": "layers.*.own_*",
        "scale": "scale",
    }
    layout = replace(LAYOUT["gpt2"], tensors=tensors)
    ours = ["scale", "blocks.3.experts.5.up.weight", "blocks.3.experts.5.gate.weight", "blocks.3.experts.5.down.weight"]
    found = layout.places(dict.fromkeys([*ours, "blocks.3.norm.bias"], (2, 2)))
    assert {name: paths for name, (_, paths) in found.items()} == {
        "scale": ["scale"], "layers.3.moe.5.w13.weight": [ours[2], ours[1]], "layers.3.moe.5.w2.weight": [ours[3]],
        "layers.3.own_norm.bias": ["blocks.3.norm.bias"],
    }  # fmt: skip
    stored, parts = found["layers.3.moe.5.w13.weight"][0], [np.arange(6.0).reshape(2, 3), np.arange(9.0).reshape(3, 3)]
    whole, shapes = stored.outward(parts), [part.shape for part in parts]
    np.testing.assert_array_equal(whole, np.concatenate(parts).T)
    assert whole.shape == stored.shape(shapes) == (3, 5)
    assert all(np.array_equal(a, b) for a, b in zip(stored.inward(whole, shapes), parts))
    with pytest.raises(CheckpointError, match="blocks.3.experts.5.adapter.a"):
        layout.places({"blocks.3.experts.5.adapter.a": (1,)})


def test_a_tree_without_weights_takes_no_memory_for_them():
    tracemalloc.start()
    skeleton = LAYOUT["gpt2"].skeleton(GPTConfig(50_000, 1024, 2, 8, 512), np.float32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert skeleton.n_parameters() > 32_000_000 and peak < 500_000


def test_all_that_is_wrong_with_the_tensors_is_listed():
    config, arrays = to_hugging_face(model())
    del arrays["transformer.ln_f.bias"]
    arrays |= {"transformer.h.0.ln_1.weight": np.ones(9), "transformer.h.0.mlp.c_fc.weight": np.ones((32, 8))}
    arrays |= {"transformer.more": np.ones(2), "transformer.h.1.ln_2.bias": np.ones(8, int)}
    with pytest.raises(CheckpointError) as found:
        from_hugging_face(config, arrays)
    with pytest.raises(CheckpointError, match="n_embd.*no such tensor"):
        from_hugging_face(config, arrays | {"transformer.wte.weight": np.ones(11)})
    for part in (
        "missing transformer.ln_f.bias", "extra transformer.more", "h.0.ln_1.weight of shape (9,) instead of (8,)",
        "c_fc.weight of shape (32, 8) instead of (8, 32)", "h.1.ln_2.bias of dtype int64 instead of floats",
    ):  # fmt: skip
        assert part in str(found.value)


def test_what_is_not_whole_is_refused(tmp_path):
    save_pretrained(bart(), tmp_path)
    arrays = load_weights(tmp_path / "model.safetensors")
    for wrong in (
        {n: a for n, a in arrays.items() if "fc1.bias" not in n},
        arrays | {"model.more": np.zeros(3)},
        arrays | {"model.shared.weight": np.zeros((12, 8))},
    ):
        save_weights(tmp_path / "model.safetensors", wrong)
        with pytest.raises(CheckpointError):
            from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps([]))
    with pytest.raises(CheckpointError):
        from_pretrained(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        save_pretrained(bart(), tmp_path / "file")


def in_shards(folder, made):
    """A model's folder with its tensors in two files and an index."""
    save_pretrained(made, folder)
    arrays = load_weights(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-0000{i % 2 + 1}-of-00002.safetensors" for i, name in enumerate(arrays)}
    for file in set(places.values()):
        save_weights(folder / file, {name: arrays[name] for name, where in places.items() if where == file})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return index, places


def test_several_files_are_read_as_their_index_says(tmp_path):
    index, places = in_shards(tmp_path, model())
    same(from_pretrained(tmp_path, np.float64), model())
    name, file = next(iter(places.items()))
    for wrong in (
        {k: v for k, v in places.items() if k != name}, places | {"transformer.more": file}, places | {name: "none.safetensors"},
        places | {name: "../" + file}, places | {name: str(tmp_path / file)}, places | {name: 3}, [], None,
        places | {name: ""}, places | {name: ".."}, places | {name: index.name}, places | {name: "a\0.safetensors"},
    ):  # fmt: skip
        index.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(CheckpointError):
            from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["tokenizer.json"], "tokenizer.json.*tokenizer; the model's weights are elsewhere"),
        (["config.json", "pytorch_model.bin"], "pytorch_model.bin .a pickle.*transformers.AutoModelForCausalLM.from_pretrained"),
        (["config.json"], "config.json. Is it the whole"), ([], "an empty folder"), (None, "nothing. Is the path right"),
    ],
)  # fmt: skip
def test_a_folder_without_weights_says_what_to_do(files, words, tmp_path):
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).write_text("{}")
    with pytest.raises(CheckpointError, match=words):
        from_pretrained(folder)


# -- what is refused when it is saved --------------------------------------------------------------------------------


class Wrapped(Module):
    def __init__(self, path, module):
        self.module = module


class Special(nn.Linear):
    pass


def linear(*sizes, **options):
    return nn.Linear(*sizes, rng=np.random.default_rng(0), **options)


def special(path, module):
    made = Special(*module.weight.shape[::-1], rng=np.random.default_rng(0))
    made.weight, made.bias = module.weight, module.bias
    return made


def changed(change):
    made = model()
    change(made)
    return made


REWRITTEN = {
    "a wrapped layer": (lambda: nn.replace(model(), "blocks.1.attention.q_proj", Wrapped), "blocks.1.attention.q_proj"),
    "a wrapped block": (lambda: nn.replace(model(), "blocks.1", Wrapped), "blocks.1"),
    "another kind of linear layer": (lambda: nn.replace(model(), "blocks.0.mlp.up_proj", special), "mlp.up_proj"),
    "another norm": (lambda: nn.replace(model(), "norm", lambda p, m: nn.RMSNorm(8, dtype=np.float64)), "norm"),
    "a wider layer": (lambda: nn.replace(model(), "**.up_proj", lambda p, m: linear(8, 33)), "up_proj.weight.*33"),
    "a layer without bias": (
        lambda: nn.replace(model(), "**.up_proj", lambda p, m: linear(8, 32, False)),
        "up_proj.bias",
    ),
    "one epsilon": (lambda: changed(lambda m: setattr(m.norm, "eps", 1e-6)), "norm.eps.*1e-05.*1e-06"),
    "a window": (lambda: changed(lambda m: setattr(m.blocks[0].attention, "window", 4)), "attention.window"),
    "no causality": (
        lambda: changed(lambda m: setattr(m.blocks[1].attention, "causal", False)),
        "blocks.1.attention.causal",
    ),
    "another activation": (lambda: changed(lambda m: setattr(m.blocks[1].mlp, "activation", "relu")), "mlp.activation"),
    "a block twice": (lambda: changed(lambda m: m.blocks.__setitem__(1, m.blocks[0])), "blocks.1"),
    "a block less": (lambda: changed(lambda m: m.blocks.pop()), "blocks.1"),
    "a block more": (lambda: changed(lambda m: m.blocks.append(m.blocks[0].mlp.up_proj)), "blocks"),
    "one parameter more": (lambda: changed(lambda m: setattr(m, "scale", nn.Parameter(np.ones(1)))), "scale"),
    "one layer more": (lambda: changed(lambda m: setattr(m, "last", linear(8, 8))), "last"),
    "a subclass": (lambda: type("Own", (GPT,), {})(CONFIGS[GPT], rng=np.random.default_rng(0)), "one of GPT.*got Own"),
    "another model": (lambda: RNNLM(RNNLMConfig(11, 4, 4), rng=np.random.default_rng(0)), "got RNNLM"),
}


@pytest.mark.parametrize(("made", "words"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_rewritten_tree_is_not_saved_as_what_it_was(made, words, tmp_path):
    with pytest.raises(CheckpointError, match=words):
        save_pretrained(made(), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_inference_ignores_may_be_changed():
    made = model(dropout=0.5)
    made.dropout.p = 0.0
    made.norm.weight.requires_grad = False
    made.note = "trained on letters"
    same(from_hugging_face(*to_hugging_face(nn.replace(made, nn.RMSNorm, Wrapped)), np.float64), made)


# -- every key of theirs ---------------------------------------------------------------------------------------------


def their_models():
    from transformers import BartConfig, BartForConditionalGeneration, GPT2Config, GPT2LMHeadModel

    yield GPT2LMHeadModel, GPT2Config(vocab_size=9, n_positions=8, n_layer=2, n_head=2, n_embd=4)
    yield (
        BartForConditionalGeneration,
        BartConfig(
            vocab_size=9, max_position_embeddings=8, encoder_layers=1, decoder_layers=1, d_model=4, encoder_ffn_dim=6,
            decoder_ffn_dim=6, encoder_attention_heads=2, decoder_attention_heads=2,
        ),
    )  # fmt: skip


def other_values(value):
    if isinstance(value, bool):
        return [not value]
    return {int: [3], float: [0.1], str: ["relu", "gelu"], type(None): [True, 5]}.get(type(value), [])


@pytest.mark.oracle
@pytest.mark.parametrize("number", [0, 1], ids=["gpt2", "bart"])
def test_every_key_of_theirs_is_known_and_none_is_wrongly_ignored(number):
    import torch

    kind, config = list(their_models())[number]
    base = redraw_model(kind(config).double())
    state = base.state_dict()
    arrays = {name: array.numpy() for name, array in state.items()}
    tokens = np.array([[3, 4, 5], [6, 7, 8]])

    def theirs(other):
        inputs = {"input_ids": torch.tensor(tokens)} | ({"decoder_input_ids": torch.tensor(tokens)} if number else {})
        return other(**inputs).logits.detach().numpy()

    layout, plain, used = LAYOUT[config.model_type], theirs(base), set()
    said = config.to_dict()
    ids = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1 if number else None}
    said |= ids
    assert said.keys() <= layout.known_keys()
    for key, value in said.items():
        for another in other_values(value):
            try:
                other = kind(type(config).from_dict(said | {key: another})).double().eval()
                other.load_state_dict(state)
                expected = theirs(other)
            except Exception:
                continue  # not a model there either
            if np.abs(expected - plain).max() > 1e-12:
                used.add(key)
            try:
                ours = from_hugging_face(said | {key: another}, arrays, np.float64)
            except CheckpointError as error:
                assert key in str(error) or {o for o, (k, _) in layout.options.items() if k == key} & set(
                    str(error).split()
                )
                continue
            found = (ours(tokens, tokens) if number else ours(tokens)).data
            np.testing.assert_allclose(found, expected, **WHOLE_MODEL, err_msg=f"{key} = {another}")
    wanted = {"activation_function", "scale_embedding"} if number else {"layer_norm_epsilon", "scale_attn_weights"}
    assert wanted <= used  # the comparison can tell
