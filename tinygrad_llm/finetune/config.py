"""What all kinds of adapters are told: which layers they stand beside, by patterns of their paths."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.adapted import Adapter
from tinygrad_llm.nn.replace import path_fits

Patterns = str | tuple[str, ...]


def fits_end(patterns: Patterns, path: str) -> bool:
    """Whether one of the patterns, as `nn.replace` has them, fits a path or the last names of it: "q_proj",
    "attention.*_proj", "blocks.0.**"."""
    return any(path_fits(f"**.{pattern}", path) for pattern in as_patterns(patterns))


def as_patterns(patterns: Patterns) -> tuple[str, ...]:
    """One pattern or several as several."""
    return (patterns,) if isinstance(patterns, str) else tuple(patterns)


@dataclass(frozen=True)
class AdapterConfig(ABC):
    """target_modules  patterns of the linear layers that get an adapter; each fits a path or the end of one."""

    target_modules: Patterns

    def __post_init__(self) -> None:
        patterns = as_patterns(self.target_modules)
        if not patterns or not all(isinstance(pattern, str) and pattern for pattern in patterns):
            raise ArgumentError("target_modules", "a pattern of paths, or several", repr(self.target_modules))
        object.__setattr__(self, "target_modules", patterns)  # frozen: here and never again

    def targets(self, path: str) -> bool:
        """Whether the linear layer at this path gets an adapter."""
        return fits_end(self.target_modules, path)

    @property
    def dropout(self) -> float:
        """The rate of the adapters' own dropout."""
        return 0.0

    @abstractmethod
    def adapter(self, path: str, layer: Any, *, rng: np.random.Generator, dtype: Any) -> Adapter:
        """A new adapter of the linear layer at this path."""
