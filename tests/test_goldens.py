"""What other libraries said, kept in files: GPT-2's logits, loss and gradients, and the ids of trained merges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from goldens.make_goldens import CONFIG, gpt2_weights
from tolerances import WHOLE_MODEL

from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import RegexBPETokenizer

HERE = Path(__file__).parent / "goldens"


def theirs(name):
    """transformers' name of one of our parameters, or of the packed one that it is a third of."""
    for ours, their in (
        ("token_embedding", "wte"), ("position_embedding", "wpe"), ("blocks.", "h."), ("norm_", "ln_"), ("attention.", "attn."),
        ("q_proj", "c_attn"), ("k_proj", "c_attn"), ("v_proj", "c_attn"), ("o_proj", "c_proj"), ("up_proj", "c_fc"),
        ("down_proj", "c_proj"),
    ):  # fmt: skip
        name = name.replace(ours, their)
    return name.replace("norm.", "ln_f.") if name.startswith("norm.") else name


def golden(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def test_gpt2_says_what_transformers_said():
    kept = golden("gpt2")
    sizes = {"block_size" if name == "n_positions" else name: size for name, size in CONFIG.items()}
    model = GPT(GPTConfig(**sizes), rng=np.random.default_rng(0), dtype=np.float64)
    turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    width = CONFIG["n_embd"]
    shapes, packed = {}, {}
    for name, p in model.named_parameters():
        shape = p.shape[::-1] if theirs(name).endswith(turned) else p.shape
        part = "qkv".find(name.split(".")[-2][0]) if "c_attn" in theirs(name) else 0
        packed[name] = slice(part * width, (part + 1) * width) if "c_attn" in theirs(name) else slice(None)
        shapes[theirs(name)] = (*shape[:-1], 3 * width) if "c_attn" in theirs(name) else shape
    arrays = gpt2_weights(list(shapes.items()))
    state = {name: arrays[theirs(name)][..., part] for name, part in packed.items()}
    model.load_state_dict({name: a.T if theirs(name).endswith(turned) else a for name, a in state.items()})
    tokens = np.array(kept["tokens"])
    np.testing.assert_allclose(model(tokens).data, kept["logits"], **WHOLE_MODEL)
    loss = model.loss({"tokens": tokens[:, :-1], "targets": tokens[:, 1:]})
    loss.backward()
    assert loss.item() == pytest.approx(kept["loss"], rel=1e-10)
    squares = dict.fromkeys(shapes, 0.0)
    for name, p in model.named_parameters():
        squares[theirs(name)] += float((p.grad**2).sum())
    assert squares.keys() == kept["gradient_norms"].keys()
    for name, square in squares.items():
        assert np.sqrt(square) == pytest.approx(kept["gradient_norms"][name], rel=1e-9), name


@pytest.mark.parametrize("count", [1, 20, 60])
def test_merges_are_those_of_tokenizers(count):
    kept = golden("merges")
    assert RegexBPETokenizer.train(kept["text"], 256 + count).encode(kept["text"]) == kept["ids"][str(count)]
