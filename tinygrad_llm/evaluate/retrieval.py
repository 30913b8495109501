"""Retrieval: is what belongs together found among all others?"""

from __future__ import annotations

import numpy as np

from tinygrad_llm.errors import ArgumentError, NonFiniteError, ShapeError
from tinygrad_llm.ranges import check_whole


def recall_at(scores: np.ndarray, k: int = 1) -> float:
    """The share of rows whose own column, that of the same number, is among the k with the highest scores.

    scores  (N, N): those of row i against all columns. The other direction is that of scores.T.

    What has the same score stands before one's own: nobody finds by a tie.

    Raises ShapeError for a table that is not square, ArgumentError for k > N, NonFiniteError for a NaN.
    """
    scores = np.asarray(scores)
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or not scores.size:
        raise ShapeError("scores", "(N, N)", scores.shape)
    check_whole(k=k)
    if k > len(scores):
        raise ArgumentError("k", f"1 to N = {len(scores)}", k)
    if np.isnan(scores).any():
        raise NonFiniteError("scores", "numbers", f"{int(np.isnan(scores).sum())} NaN")
    rank = (scores >= np.diagonal(scores)[:, None]).sum(1)
    return float((rank <= k).mean())
