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


def golden(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def test_gpt2_says_what_transformers_said():
    kept = golden("gpt2")
    sizes = {"block_size" if name == "n_positions" else name: size for name, size in CONFIG.items()}
    model = GPT(GPTConfig(**sizes), rng=np.random.default_rng(0), dtype=np.float64)
    turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    shapes = [(n, p.shape[::-1] if n.endswith(turned) else p.shape) for n, p in model.named_parameters()]
    arrays = gpt2_weights(shapes)
    model.load_state_dict({n: a.T if n.endswith(turned) else a for n, a in arrays.items()})
    tokens = np.array(kept["tokens"])
    np.testing.assert_allclose(model(tokens).data, kept["logits"], **WHOLE_MODEL)
    loss = model.loss(tokens[:, :-1], tokens[:, 1:])
    loss.backward()
    assert loss.item() == pytest.approx(kept["loss"], rel=1e-10)
    for name, p in model.named_parameters():
        assert np.linalg.norm(p.grad) == pytest.approx(kept["gradient_norms"][name], rel=1e-9), name


@pytest.mark.parametrize("count", [1, 20, 60])
def test_merges_are_those_of_tokenizers(count):
    kept = golden("merges")
    assert RegexBPETokenizer.train(kept["text"], 256 + count).encode(kept["text"]) == kept["ids"][str(count)]
