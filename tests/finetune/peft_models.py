"""peft's adapters on transformers' models, and the same base here: what the parity tests of all kinds share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm.finetune import PeftModel
from tinygrad_llm.finetune.peft_files import to_peft
from tinygrad_llm.models import from_pretrained
from tinygrad_llm.optim import AdamW

VOCABULARY = 19
GPT2, LLAMA = "gpt2", "llama"
IGNORE = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
"""peft 0.21 asks transformers 5.24 by an old name."""


def their_base(kind: str, seed: int, dtype: str = "float64") -> Any:
    """A small model of transformers with weights that show mistakes."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    if kind == GPT2:
        sizes = {"n_positions": 16, "n_embd": 12, "n_layer": 2, "n_head": 3, "bos_token_id": None, "eos_token_id": None}
        model: Any = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **sizes))
    else:
        sizes = {"hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4}
        sizes |= {"num_key_value_heads": 2, "max_position_embeddings": 16, "bos_token_id": None, "eos_token_id": None}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, attention_bias=True, **sizes))
    model = model.to(getattr(torch, dtype)).eval()
    redraw(model, seed)
    return model


def both(
    kind: str, seed: int, config: Any, folder: Any, drawn: float = 0.0, dtype: str = "float64"
) -> tuple[Any, PeftModel]:
    """peft's model with a new adapter, and the same opened here; `drawn` is how far its numbers are moved first."""
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    import torch

    base = their_base(kind, seed, dtype)
    base.save_pretrained(folder / "base")
    torch.manual_seed(seed)
    theirs = peft.get_peft_model(base, config).eval()
    theirs(torch.zeros((1, 1), dtype=torch.int64))  # DoRA's lengths are made by the first call
    with torch.no_grad():
        for p in adapter_parameters(theirs).values():
            p += drawn * torch.randn(p.shape, dtype=p.dtype)
    theirs.save_pretrained(folder / "adapter")
    return theirs, PeftModel.from_pretrained(from_pretrained(folder / "base", getattr(np, dtype)), folder / "adapter")


def adapter_parameters(theirs: Any) -> dict[str, Any]:
    """What they learn, by the names that their files have."""
    return {name.replace(".default", ""): p for name, p in theirs.named_parameters() if p.requires_grad}


def some_batch(seed: int, rows: int = 3, time: int = 7) -> dict[str, np.ndarray]:
    """Tokens and targets."""
    tokens = np.random.default_rng([seed, 7]).integers(0, VOCABULARY, (rows, time + 1))
    return {"tokens": tokens[:, :-1], "targets": tokens[:, 1:]}


def their_logits(theirs: Any, batch: dict[str, np.ndarray], **options: Any) -> Any:
    """Of a batch, recorded."""
    import torch

    return theirs(input_ids=torch.tensor(batch["tokens"]), **options).logits


def their_loss(theirs: Any, batch: dict[str, np.ndarray]) -> Any:
    """The mean cross-entropy; transformers' own rounds the logits to float32."""
    import torch

    logits = their_logits(theirs, batch)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(batch["targets"]).flatten())


def written(ours: PeftModel, adapter_name: str = "default", gradients: bool = False) -> dict[str, np.ndarray]:
    """Our adapter, or its gradients, by peft's names and in its shapes."""
    layers = {path: layer for path, layer in ours.adapted().items() if adapter_name in layer.adapters}
    adapters = {path: layer.adapters[adapter_name] for path, layer in layers.items()}
    if not gradients:
        return to_peft(ours.unload(), ours.peft_config[adapter_name], adapters)[1]
    parameters = list({id(p): p for adapter in adapters.values() for p in adapter.parameters()}.values())
    values = [p.numpy().copy() for p in parameters]
    for p in parameters:
        p.assign(p.grad)
    found = to_peft(ours.unload(), ours.peft_config[adapter_name], adapters)[1]
    found = {name: array.copy() for name, array in found.items()}
    for p, value in zip(parameters, values):
        p.assign(value)
    return found


def compare(theirs: Any, ours: PeftModel, batch: dict[str, np.ndarray]) -> None:
    """Logits, loss, and the gradient of all that is learned."""
    found = ours(batch["tokens"])
    np.testing.assert_allclose(found.data, their_logits(theirs, batch).detach().numpy(), **WHOLE_MODEL)
    loss, other = ours.loss(batch), their_loss(theirs, batch)
    np.testing.assert_allclose(loss.item(), other.item(), **WHOLE_MODEL)
    loss.backward()
    other.backward()
    parameters = adapter_parameters(theirs)
    mine = written(ours, gradients=True)
    assert mine.keys() == {named(name) for name in parameters}
    for name, p in parameters.items():
        np.testing.assert_allclose(mine[named(name)], p.grad.numpy(), **WHOLE_MODEL, err_msg=name)


def named(name: str) -> str:
    """As files have it: DoRA's lengths without `.weight`."""
    return name.removesuffix(".weight") if "magnitude" in name else name


def trained(theirs: Any, ours: PeftModel, steps: int = 20) -> None:
    """The same steps of AdamW in both, from the same numbers: losses and all that is learned stay equal."""
    import torch

    their_optimizer = torch.optim.AdamW(adapter_parameters(theirs).values(), lr=1e-2, weight_decay=0.1)
    optimizer = AdamW(ours.named_parameters(), lr=1e-2, weight_decay=0.1, decays=lambda p: True)
    first = {name: p.detach().numpy().copy() for name, p in adapter_parameters(theirs).items()}
    for step in range(steps):
        batch = some_batch(100 + step)
        other = their_loss(theirs, batch)
        their_optimizer.zero_grad()
        other.backward()
        their_optimizer.step()
        loss = ours.loss(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        np.testing.assert_allclose(loss.item(), other.item(), **WHOLE_MODEL)
    mine = written(ours)
    for name, p in adapter_parameters(theirs).items():
        np.testing.assert_allclose(mine[named(name)], p.detach().numpy(), **WHOLE_MODEL, err_msg=name)
        assert np.abs(mine[named(name)] - first[name]).max() > 1e-3, f"{name} has not moved"
