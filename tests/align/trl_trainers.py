"""trl's own loss functions on transformers' models, and the same model here: what the parity tests share.

A trainer of trl is made without a training run: its class, with the few attributes that its loss looks at.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from in_double import in_double
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm.models import from_pretrained, save_pretrained

VOCABULARY, PAD = 19, 0
SIZES = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": PAD, "vocab_size": VOCABULARY}
GPT2, LLAMA = "gpt2", "llama"
IGNORE = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
"""trl 1.16 asks transformers 5.24 by an old name."""


@contextlib.contextmanager
def trl_in_double() -> Iterator[Any]:
    """trl, with float64 wherever it computes in float32 whatever the model's precision."""
    trl = pytest.importorskip("trl", reason="trl is the oracle here")
    with in_double("trl.kernels.chunked_logprob"):
        yield trl


def config_of(kind: str) -> Any:
    """A small architecture of transformers."""
    from transformers import GPT2Config, LlamaConfig

    if kind == GPT2:
        return GPT2Config(n_positions=24, n_embd=12, n_layer=2, n_head=3, **SIZES)
    sizes = {"hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaConfig(num_key_value_heads=2, max_position_embeddings=24, attention_bias=True, **sizes, **SIZES)


def their_model(kind: str, seed: int) -> Any:
    """With weights that show mistakes."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(config_of(kind)).double().eval()
    redraw(model, seed)
    return model


def both(kind: str, seed: int, folder: Any) -> tuple[Any, Any]:
    """Theirs, and the same opened here."""
    theirs = their_model(kind, seed)
    theirs.save_pretrained(folder / str(seed))
    return theirs, from_pretrained(folder / str(seed), np.float64)


def trainer(kind: type, model: Any, **attributes: Any) -> Any:
    """A trainer that can do nothing but compute its loss of one batch."""
    import torch

    made = object.__new__(kind)
    stays = lambda x: x
    accelerator = SimpleNamespace(
        device=torch.device("cpu"), gather=stays, gather_for_metrics=stays, autocast=contextlib.nullcontext,
        reduce=lambda x, reduction: x, parallelism_config=None, num_processes=1, is_main_process=False,
    )  # fmt: skip
    common = {
        "model": model,
        "accelerator": accelerator,
        "_metrics": {"train": defaultdict(list), "eval": defaultdict(list)},
    }
    common |= {"aux_loss_enabled": False, "_total_train_tokens": 0, "_tp_size": 1}
    for name, value in {**common, **attributes}.items():
        setattr(made, name, value)
    return made


def with_fused_head(model: Any, *outputs: str) -> Any:
    """The model as trl's trainers patch it."""
    from trl.trainer.utils import add_fused_lm_head

    add_fused_lm_head(model, outputs=("log_probs", "entropy", "mean_logits", "is_top1", *outputs))
    return model


def compare(theirs: Any, their_loss: Any, ours: Any, our_loss: Any, folder: Any) -> None:
    """The loss, and the gradient of every parameter, by their names."""
    np.testing.assert_allclose(our_loss.item(), their_loss.item(), **WHOLE_MODEL)
    their_loss.backward()
    our_loss.backward()
    mine = written_gradients(type(theirs), ours, folder)
    compared = 0
    for name, p in theirs.named_parameters():
        np.testing.assert_allclose(mine[name], p.grad.numpy(), **WHOLE_MODEL, err_msg=name)
        compared += 1
        assert p.grad.abs().max() > 0, name
    assert compared == len(mine)


def written_gradients(kind: type, ours: Any, folder: Any) -> dict[str, np.ndarray]:
    """Our gradients by their names and in their shapes."""
    for p in ours.parameters():
        p.assign(np.zeros(p.shape, p.dtype) if p.grad is None else p.grad)
    save_pretrained(ours, folder / "gradients")
    mine = kind.from_pretrained(folder / "gradients", dtype="float64")
    return {name: p.detach().numpy() for name, p in mine.named_parameters()}


def some_texts(seed: int, rows: int) -> list[list[list[int]]]:
    """Of each row a prompt and two answers, of different lengths; token 0 is padding and does not occur."""
    rng = np.random.default_rng([seed, 5])
    return [[rng.integers(1, VOCABULARY, rng.integers(1, 7)).tolist() for _ in range(3)] for _ in range(rows)]
