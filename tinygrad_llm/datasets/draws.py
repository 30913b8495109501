"""What the grammars of this folder draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def one_of(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each as likely: one integer of the generator, whatever they are."""
    return options[int(rng.integers(len(options)))]
