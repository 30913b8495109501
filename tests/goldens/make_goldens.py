"""Writes what other libraries say, so that the plain suite can ask them without having them.

    python tests/goldens/make_goldens.py

Weights come from `np.random.RandomState`, whose stream is frozen; each file names the versions that answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
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


def _text(golden: dict) -> str:
    """JSON; the rows of a table, and the kinds of what there are many of, a line each."""
    if "kinds" in golden:
        kinds = ",\n".join(f"{json.dumps(name)}: {json.dumps(kind)}" for name, kind in golden["kinds"].items())
        return f'{{"made_with": {json.dumps(golden["made_with"])},\n"kinds": {{\n{kinds}\n}}}}\n'
    if "rows" not in golden:
        return json.dumps(golden, indent=1) + "\n"
    rows = ",\n".join(json.dumps(row) for row in golden["rows"])
    return f'{{"made_with": {json.dumps(golden["made_with"])},\n"rows": [\n{rows}\n]}}\n'


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


def tales_merges() -> dict:
    """tokenizers' byte-level BPE of the tales: every merge, until each word is one token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=10_000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([(HERE.parents[1] / "data/tales/train.txt").read_text(encoding="utf-8")], trainer)
    rows = [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    return {"made_with": {"tokenizers": version("tokenizers")}, "rows": rows}


def tokenizers(count: int = 60) -> dict:
    """What tokenizers makes of random texts and pairs, for a tokenizer of each kind, and its tokenizer.json."""
    sys.path.insert(0, str(HERE.parent))
    import tokenizer_kinds as made

    kinds = {}
    for name in ("llama3", "qwen2", "llama3 whole", "prefix", *(f"bpe {form}" for form in ("normalizer", "first whole", "gemma")),
                 "bpe unk", "unigram t5", "unigram albert", "bert"):  # fmt: skip
        other, rng = made.KINDS[name](), np.random.default_rng(0)
        texts, pairs = [], []
        for _ in range(count):
            text = made.random_text(rng)
            ids = other.encode(text, add_special_tokens=False).ids
            texts.append([text, ids, other.decode(ids, skip_special_tokens=False)])
        for _ in range(8):
            first, second = ("".join(rng.choice(made.PIECES[:12], 4)) for _ in range(2))
            for pair in ((first, None), (first, second)):
                found = other.encode(*pair)
                pairs.append([pair, [found.ids, found.type_ids]])
        kinds[name] = {"document": json.loads(other.to_str()), "texts": texts, "pairs": pairs}
    return {"made_with": {"tokenizers": version("tokenizers")}, "kinds": kinds}


def mauve(count: int = 60) -> dict:
    """mauve-text's area of random pairs of distributions, some of them with kinds that one side lacks."""
    from mauve.compute_mauve import compute_area_under_curve, get_divergence_curve_for_multinomials

    rng, rows = np.random.RandomState(4), []
    while len(rows) < count:
        kinds, points, scale = rng.randint(1, 9), int(rng.choice([5, 25, 60])), float(rng.choice([1, 2, 5]))
        p, q = rng.randint(0, 6, (2, kinds))
        p[rng.randint(kinds)] += 1
        q[rng.randint(kinds)] += 1
        if np.allclose(p / p.sum(), q / q.sum()):
            continue  # its sorting takes the corner away then, and calls equal distributions 3/4 alike
        weights = np.linspace(1e-6, 1 - 1e-6, points)
        x, y = get_divergence_curve_for_multinomials(p / p.sum(), q / q.sum(), weights, scale).T
        one, other = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
        area = (compute_area_under_curve(x[one], y[one]) + compute_area_under_curve(y[other], x[other])) / 2
        rows.append([p.tolist(), q.tolist(), scale, points, float(area)])
    return {"made_with": {"mauve-text": version("mauve-text")}, "rows": rows}


def expressions(count: int = 1000) -> dict:
    """Random expressions in a, b, c and the gradients that PyTorch finds, in float64; those that overflow are redrawn."""
    return _with_gradients(count, np.random.RandomState(2), lambda rng: expression(rng, rng.randint(2, 6)))


def programs(count: int = 300) -> dict:
    """The same of random programs, whose lines use earlier results again: an expression does that with a, b, c alone."""
    return _with_gradients(count, np.random.RandomState(3), program)


def _with_gradients(count: int, rng: np.random.RandomState, draw: Callable[[np.random.RandomState], str]) -> dict:
    import torch

    rows: list[list] = []
    functions = {name: getattr(torch, name) for name in ("exp", "log", "tanh", "relu")}
    while len(rows) < count:
        text, at = draw(rng), rng.uniform(-2, 2, 3).round(3)
        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
        value = eval(text, functions | dict(zip("abc", leaves))) + 0 * sum(leaves)
        value.backward()
        gradient = [leaf.grad.item() for leaf in leaves]
        if np.isfinite([value.item(), *gradient]).all() and max(map(abs, [value.item(), *gradient])) < 1e6:
            rows.append([text, at.tolist(), value.item(), gradient])
    return {"made_with": {"torch": torch.__version__}, "rows": rows}


def expression(rng: np.random.RandomState, depth: int) -> str:
    """Python text: + - * / ** and exp, log, tanh, relu over a, b, c and numbers."""
    if depth == 0 or rng.rand() < 0.1:
        return rng.choice(["a", "b", "c"])
    kind, inner = rng.choice(["+", "-", "*", "/", "**", "exp", "log", "tanh", "relu"]), expression(rng, depth - 1)
    if kind == "log":
        return f"log(1 + {inner} ** 2)"
    if kind in ("exp", "tanh", "relu"):
        return f"{kind}({inner})"
    if kind == "**":
        return f"({inner} + a) ** {rng.choice([2, 3])}"
    right = f"{rng.uniform(-3, 3):.2f}" if rng.rand() < 0.2 else expression(rng, depth - 1)
    return f"({inner} {kind} {right})"


def program(rng: np.random.RandomState, lines: int = 8) -> str:
    """Python text: a tuple of assignments to d, e, …, each of one or two of the three letters before it; its value the last."""
    text = []
    for line in range(lines):
        left, right = (chr(ord("a") + number) for number in rng.randint(line, line + 3, 2))
        new, kind = chr(ord("d") + line), rng.choice(["+", "-", "*", "tanh"])
        text.append(f"{new} := tanh({left})" if kind == "tanh" else f"{new} := {left} {kind} {right}")
    return f"({', '.join(text)})[-1]"


if __name__ == "__main__":
    for name, make in (
        ("gpt2", gpt2),
        ("merges", merges),
        ("tales_merges", tales_merges),
        ("mauve", mauve),
        ("expressions", expressions),
        ("programs", programs),
        ("tokenizers", tokenizers),
    ):
        (HERE / f"{name}.json").write_text(_text(make()), encoding="utf-8")
        print(HERE / f"{name}.json")
