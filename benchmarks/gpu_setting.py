"""What each part of `benchmarks.gpu` is given, and how it says what it found."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """tell(name=value) passes results on; ceilings are those of the part of that name, empty where it failed."""

    tell: Callable[..., None]
    smoke: bool
    ceilings: dict[str, Any]
    text: Path | None

    def copy_gbs(self, mb: int) -> float:
        """GB/s of a copy of an array of about this size; NaN where it was not measured."""
        rates = self.ceilings.get("copy", {})
        return rates[min(rates, key=lambda size: abs(int(size) - mb))] if rates else float("nan")

    def tflops(self, precision: str) -> float:
        """TFLOP/s of a large product; NaN where it was not measured."""
        return self.ceilings.get("product", {}).get(precision, float("nan"))


def complain(what: str, error: Exception) -> None:
    """The error, and where it was."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(f"{what}: {type(error).__name__}: {error}\n    in {place.filename}:{place.lineno}", flush=True)


def rounded(x: Any) -> Any:
    """Four digits are more than a measurement has; what is no number is None, which JSON knows."""
    if isinstance(x, dict):
        return {key: rounded(value) for key, value in x.items()}
    if isinstance(x, list):
        return [rounded(value) for value in x]
    return (float(f"{x:.4g}") if math.isfinite(x) else None) if isinstance(x, float) else x


def has_torch() -> bool:
    """Whether PyTorch is here and sees the GPU."""
    if find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
