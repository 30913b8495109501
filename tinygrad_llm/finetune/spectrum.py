"""How much of a matrix a few directions hold: for the change that fine-tuning makes.

Sources: Eckart and Young, "The approximation of one matrix by another of lower rank", 1936; the question is asked of a
change of weights by Hu et al., "LoRA", 2021, section 7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import ShapeError
from tinygrad_llm.ranges import check_whole


def rank_share(matrix: Any, r: int) -> float:
    """Of the sum of all squared entries the share in the best approximation of rank r.  (O, I) -> between 0 and 1

    With singular values s_1 >= s_2 >= … it is (s_1² + … + s_r²) / (s_1² + s_2² + …); 1 of a matrix that is zero.
    Raises ShapeError for what is no matrix, ArgumentError where r is no whole number of at least 0.
    """
    check_whole(0, r=r)
    squares = np.linalg.svd(_matrix(matrix), compute_uv=False) ** 2
    return float(squares[:r].sum() / squares.sum()) if squares.sum() > 0 else 1.0


def best_rank(matrix: Any, r: int) -> np.ndarray:
    """The matrix of rank r, or less, that is nearest to this one: its first r singular directions.  (O, I) -> (O, I)

    No other matrix of that rank leaves a smaller sum of squared differences (Eckart and Young). Raises as `rank_share`.
    """
    check_whole(0, r=r)
    left, values, right = np.linalg.svd(_matrix(matrix), full_matrices=False)
    return (left[:, :r] * values[:r]) @ right[:r]


def _matrix(matrix: Any) -> np.ndarray:
    found = np.asarray(matrix)
    if found.ndim != 2 or not found.size:
        raise ShapeError("matrix", "(O, I), neither of them 0", found.shape)
    return found
