"""Values as text: so that a call can be pasted, and so that an answer can be taken in at a glance."""

from __future__ import annotations

import hashlib
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


DIGITS = (4, 6, 9, 13, 17)
"""How many are shown, the fewest first: as many as it takes to see a difference."""


class Spelled:
    """Stands for a value that is shown as it was written: `Spelled("np.log(np.array([0.25, 0.75]))")`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def make(self) -> Any:
        """The value."""
        return eval(self.text, {"np": np})  # written in a check, never by a learner


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
    if isinstance(value, Spelled):
        return value.text
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


def summaries(got: Any, expected: Any, dtypes: bool = False) -> tuple[str, str]:
    """Both as `summary` has them, with as many digits as it takes for the two to read differently."""
    texts = ("", "")
    for digits in DIGITS:
        texts = summary(got, dtypes, digits), summary(expected, dtypes, digits)
        if texts[0] != texts[1]:
            break
    return texts


def apart(got: Any, expected: Any) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes for the two to read differently, at least 6."""
    texts = ("", "")
    for digits in DIGITS[1:]:
        texts = f"{got:.{digits}g}", f"{expected:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def summary(value: Any, dtypes: bool = False, digits: int = DIGITS[0]) -> str:
    """What an answer is: shape, dtype where it is unusual or asked for, and the entries where they are few."""
    if isinstance(value, Tensor):
        return "Tensor, " + summary(value.data, dtypes, digits)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        dtype = "" if value.dtype.name in PLAIN and not dtypes else f" {value.dtype.name}"
        text = np.array2string(np.asarray(value), precision=digits, threshold=12, edgeitems=2, max_line_width=10_000)
        return f"array{_shape(value)}{dtype} {' '.join(text.split())}"
    if isinstance(value, np.generic):
        return f"{value.item()!r} ({value.dtype.name})"
    if isinstance(value, list | tuple) and _holds_arrays(value):
        inner = "; ".join(summary(entry, dtypes, digits) for entry in value)
        return f"a {type(value).__name__} of {len(value)}: {inner}" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, float):
        return f"{value:.{max(digits, DIGITS[1])}g}"
    text = safe_repr(value)
    return text if len(text) <= 160 else f"{text[:120]} … ({type(value).__name__} of length {len(value)})"


def safe_repr(value: Any) -> str:
    """`repr(value)`, and where that raises, what it raised: it is the learner's to write."""
    try:
        return repr(value)
    except BaseException as error:  # whatever it is, there must be a report
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"


def _holds_arrays(values: list | tuple) -> bool:
    return any(isinstance(v, np.ndarray) or (isinstance(v, list | tuple) and _holds_arrays(v)) for v in values)


def _shape(array: np.ndarray) -> str:
    return f"({', '.join(map(str, array.shape))})"


def _array_literal(array: np.ndarray) -> str:
    if array.size > MOST_ENTRIES and (folder := os.environ.get(SAVE_TO)):
        Path(folder).mkdir(parents=True, exist_ok=True)
        content = hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()
        path = Path(folder) / f"{content[:8]}.npy"  # the same array has the same name: calls can be compared
        np.save(path, array)
        return f"np.load({os.path.relpath(path).replace(os.sep, '/')!r})"
    if not array.size:
        return f"np.zeros({array.shape}, {array.dtype.name!r})"
    body = literal(array.tolist())
    dtype = "" if array.dtype.name in PLAIN else f", dtype={array.dtype.name!r}"
    return f"np.array({body}{dtype})"
