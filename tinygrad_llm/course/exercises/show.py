"""Values as text: so that a call can be pasted, and so that an answer can be taken in at a glance."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor

MOST_ENTRIES = 24
"""Arrays up to this size are written out in a call; larger ones are saved, and the call loads them."""
SAVE_TO = "TINYGRAD_LLM_ARRAYS"
"""Environment variable: the folder for those."""
PLAIN = ("float64", "int64", "bool")


class Seeded:
    """Stands for `np.random.default_rng(seed)` in a check, so that the call it is in can be printed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def make(self) -> np.random.Generator:
        """A generator from its beginning."""
        return np.random.default_rng(self.seed)


def literal(value: Any) -> str:
    """Python text whose value this is."""
    if isinstance(value, Seeded):
        return f"np.random.default_rng({value.seed})"
    if isinstance(value, Tensor):
        return f"Tensor({literal(value.data)})"
    if isinstance(value, np.ndarray):
        return _array_literal(value)
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, list | tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if callable(value):
        return getattr(value, "__name__", repr(value))
    return repr(value)


def call_text(name: str, args: tuple, options: dict[str, Any]) -> str:
    """`name(args, options)` as it would be typed."""
    parts = [literal(a) for a in args] + [f"{key}={literal(value)}" for key, value in options.items()]
    return f"{name}({', '.join(parts)})"


def summary(value: Any, dtypes: bool = False) -> str:
    """What an answer is: shape, dtype where it is unusual or asked for, and the entries where they are few."""
    if isinstance(value, Tensor):
        return "Tensor, " + summary(value.data)
    if isinstance(value, np.ndarray):
        dtype = "" if value.dtype.name in PLAIN and not dtypes else f" {value.dtype.name}"
        text = np.array2string(value, precision=4, threshold=12, edgeitems=2, max_line_width=10_000)
        return f"array{_shape(value)}{dtype} {' '.join(text.split())}"
    if isinstance(value, np.generic):
        return f"{value.item()!r} ({value.dtype.name})"
    if isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value):
        return f"a tuple of {len(value)}: " + "; ".join(map(summary, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:120]} … ({type(value).__name__} of length {len(value)})"


def _shape(array: np.ndarray) -> str:
    return f"({', '.join(map(str, array.shape))})"


def _array_literal(array: np.ndarray) -> str:
    if array.size > MOST_ENTRIES and (folder := os.environ.get(SAVE_TO)):
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{len(list(Path(folder).glob('*.npy'))) + 1}.npy"
        np.save(path, array)
        return f"np.load({os.path.relpath(path).replace(os.sep, '/')!r})"
    if not array.size:
        return f"np.zeros({array.shape}, {array.dtype.name!r})"
    body = literal(array.tolist())
    dtype = "" if array.dtype.name in PLAIN else f", dtype={array.dtype.name!r}"
    return f"np.array({body}{dtype})"
