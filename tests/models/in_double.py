"""transformers' own modules, with float64 wherever they compute in float32 whatever the model's precision.

Its Llama and kin round to float32 inside of norms, softmax, rotary tables and the loss. Here the modules see a `torch`
whose float32 is float64, and `Tensor.float()` widens instead: the formulas stay theirs, the rounding goes.
"""

from __future__ import annotations

import importlib
from typing import Any

MODULES = (
    "modeling_rope_utils",
    "loss.loss_utils",
    *(f"models.{name}.modeling_{name}" for name in ("llama", "mistral", "qwen2", "qwen3", "mixtral")),
)


class _Double:
    """torch, but for the names of the narrower type."""

    def __getattr__(self, name: str) -> Any:
        import torch

        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


def in_double(monkeypatch) -> None:
    """Until the test ends."""
    import torch

    for name in MODULES:
        monkeypatch.setattr(importlib.import_module(f"transformers.{name}"), "torch", _Double())
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
