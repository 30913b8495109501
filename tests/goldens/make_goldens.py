"""Writes what other libraries say, so that the plain suite can ask them without having them.

    python tests/goldens/make_goldens.py

Weights come from `np.random.RandomState`, whose stream is frozen; each file names the versions that answered.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CONFIG = {"vocab_size": 11, "n_positions": 6, "n_layer": 2, "n_head": 2, "n_embd": 8}
TEXT = "The cat's hat, the bat's mat: they'll sit at 12345 o'clock!  \n\n Über naïve cafés 🙂 " * 3


def gpt2_weights(names_and_shapes: list[tuple[str, tuple[int, ...]]], seed: int = 0) -> dict[str, np.ndarray]:
    """Matrices from N(0, 0.2), vectors from U(0.5, 1.5), in the order of the sorted names."""
    rng = np.random.RandomState(seed)
    draw = {True: lambda shape: rng.normal(0, 0.2, shape), False: lambda shape: rng.uniform(0.5, 1.5, shape)}
    return {name: draw[len(shape) > 1](shape) for name, shape in sorted(names_and_shapes)}


def gpt2() -> dict:
    """transformers' GPT-2 in float64: logits, loss, and the norm of each gradient."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(**CONFIG, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0, bos_token_id=None, eos_token_id=None)
    model = GPT2LMHeadModel(config).double().eval()
    named = {name.removeprefix("transformer."): p for name, p in model.named_parameters()}
    for name, array in gpt2_weights([(name, tuple(p.shape)) for name, p in named.items()]).items():
        named[name].data = torch.tensor(array)
    model.tie_weights()
    tokens = torch.tensor(np.random.RandomState(1).randint(0, 11, (2, 6)))
    logits = model(tokens).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    return {
        "made_with": {"transformers": version("transformers"), "torch": torch.__version__},
        "tokens": tokens.tolist(),
        "logits": logits.tolist(),
        "loss": loss.item(),
        "gradient_norms": {name: p.grad.norm().item() for name, p in named.items()},
    }


def merges() -> dict:
    """tokenizers' byte-level BPE: the ids of the text after 1, 20 and 60 merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    ids = {}
    for count in (1, 20, 60):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=256 + count, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([TEXT], trainer)
        ids[str(count)] = tokenizer.encode(TEXT).ids
    return {"made_with": {"tokenizers": version("tokenizers")}, "text": TEXT, "ids": ids}


if __name__ == "__main__":
    for name, make in (("gpt2", gpt2), ("merges", merges)):
        (HERE / f"{name}.json").write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
        print(HERE / f"{name}.json")
