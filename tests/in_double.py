"""transformers' own modules, with float64 wherever they compute in float32 whatever the model's precision.

Its Llama and kin round to float32 inside of norms, softmax, rotary tables and the loss. Here the modules see a `torch`
whose float32 is float64, `Tensor.float()` widens, and float64 is the default: the formulas stay theirs, the rounding goes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

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


@contextmanager
def in_double(*more: str) -> Iterator[None]:
    """For as long as it lasts, and in these modules of other libraries too."""
    import torch

    default = torch.get_default_dtype()
    with pytest.MonkeyPatch.context() as patch:
        for name in (*(f"transformers.{name}" for name in MODULES), *more):
            patch.setattr(importlib.import_module(name), "torch", _Double())
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(default)
