"""pass@k: whether any of k attempts at a problem is right, from more attempts than k.

    pass@k = 1 - C(n - c, k) / C(n, k)        n attempts were drawn, c of them are right

Of all choices of k of the n, the share with a right one among them: its mean is the true pass@k, and it varies less
than drawing k once. Putting c / n into 1 - (1 - p)^k instead is too low on average. Source: Chen et al., "Evaluating
Large Language Models Trained on Code", 2021, section 2.1.
"""

from __future__ import annotations

import math

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n attempts have a right one among them, where c of the n are right.

    Raises ArgumentError for k outside 1 to n, and for c outside 0 to n.
    """
    check_whole(n=n, k=k)
    check_whole(0, c=c)
    if k > n:
        raise ArgumentError("k", f"at most n = {n}", k, "Draw more attempts.")
    if c > n:
        raise ArgumentError("c", f"at most n = {n}", c)
    return 1 - math.comb(n - c, k) / math.comb(n, k)
