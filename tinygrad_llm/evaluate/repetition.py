"""Repetition: whether a text has begun to run in circles.

Greedy decoding tends to it: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020; Welleck et al.,
"Neural Text Generation with Unlikelihood Training", 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_llm.ranges import check_whole


def loop_period(tokens: Sequence[Any], longest: int, times: int = 3) -> int:
    """The length of the shortest piece that the tokens end with, `times` times in a row; 0 where there is none.

    longest  pieces of up to so many tokens are looked for.

    Raises ArgumentError for a piece of less than one token, and for less than twice.
    """
    check_whole(longest=longest)
    check_whole(2, times=times)
    for period in range(1, min(longest, len(tokens) // times) + 1):
        end = tokens[len(tokens) - times * period :]
        if all(end[i] == end[i - period] for i in range(period, len(end))):
            return period
    return 0
