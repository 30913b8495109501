"""How finely a run on a GPU computes.

    fp32  float32 throughout: the reference, which the CPU's numbers are held against.
    tf32  the same, but products round their factors to ten bits of mantissa: tensor cores, no other change.
    bf16  activations in bfloat16; weights, their gradients and AdamW's moments stay float32, and so do all sums. An
          update of a thousandth is lost in a bfloat16 weight, which has eight bits: in the float32 one it is not.

Source: Micikevicius et al., "Mixed Precision Training", 2018; Kalamkar et al., "A Study of BFLOAT16", 2019.
"""

from __future__ import annotations

from typing import Any

from tinygrad_llm.backend import bfloat16
from tinygrad_llm.backend.cuda import BFLOAT16_FROM, compute_capability
from tinygrad_llm.errors import ConfigError

PRECISIONS = ("fp32", "tf32", "bf16")


def check_precision(precision: str, device: str, dtype: str = "float32") -> None:
    """Raises ConfigError where the device cannot train like that: a GPU's kernels know float32 weights alone."""
    if precision not in PRECISIONS:
        raise ConfigError("precision", " or ".join(PRECISIONS), repr(precision))
    if device == "cuda" and dtype != "float32":
        next_step = "Leave --dtype out, or use --device cpu."
        raise ConfigError("dtype", "float32 for training on a GPU", f"--dtype {dtype}", next_step)
    if precision == "fp32":
        return
    if device == "cpu":
        next_step = "Leave --precision out, or use --device cuda."
        raise ConfigError("precision", "fp32 on the CPU", precision, next_step)
    capability = compute_capability()
    if capability < BFLOAT16_FROM:
        next_step = "Use --precision fp32."
        raise ConfigError(
            "precision", f"a GPU from sm_{BFLOAT16_FROM} on for {precision}", f"sm_{capability}", next_step
        )


def activations(precision: str) -> Any:
    """The dtype that a model's activations are cast to; None leaves them as the weights are."""
    return bfloat16() if precision == "bf16" else None
