"""The recall task: output the symbol that came first, `distance` tokens ago.

    tokens   C  j k m j n l  ?        C is one of the symbols, j … n are fillers, ? is the query
    target   C

The fillers come from an alphabet of their own and are drawn at random, independent of the answer. So a model without
access to the first token is right once in `symbols` times; only memory over the distance does better. (The idea is
that of Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, section 5.2, with many symbols instead of two.)
"""

from __future__ import annotations

import numpy as np

from tinygrad_llm.ranges import check_whole

SYMBOLS, FILLERS = 8, 8


def recall_vocab_size(symbols: int = SYMBOLS, fillers: int = FILLERS) -> int:
    """How many different tokens there are: 0 … symbols - 1, then the fillers, then the query."""
    return symbols + fillers + 1


def recall_batch(
    rng: np.random.Generator, batch: int, distance: int, symbols: int = SYMBOLS, fillers: int = FILLERS
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (B, distance + 2) and targets (B,), int64.

    distance  how many fillers stand between the symbol and the question; 0 is allowed.

    Chance is 1 / symbols. Raises ArgumentError for a size that is no whole number of at least 1, a negative distance.
    """
    check_whole(batch=batch, symbols=symbols, fillers=fillers)
    check_whole(0, distance=distance)
    tokens = np.empty((batch, distance + 2), np.int64)
    tokens[:, 0] = rng.integers(0, symbols, batch)
    tokens[:, 1:-1] = rng.integers(symbols, symbols + fillers, (batch, distance))
    tokens[:, -1] = symbols + fillers
    return tokens, tokens[:, 0].copy()
