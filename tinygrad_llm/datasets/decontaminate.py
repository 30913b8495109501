"""Test items that stand in the training text: found by the runs of words that both have.

GPT-3 (Brown et al., 2020, appendix C) drops what shares a run of 13 words with a test item. Where texts are made of the
same sentences, as our tales are, that drops honest ones as well; so the *share* of an item's runs counts here, too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from tinygrad_llm.ranges import check_whole

RUN = 13
"""Words of a run, GPT-3's."""


def runs_of(text: str, n: int = RUN) -> set[tuple[str, ...]]:
    """All runs of n words; letters in lower case and digits alone count, as punctuation differs from page to page."""
    check_whole(n=n)
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def overlaps(texts: Sequence[str], items: Sequence[str], n: int = RUN) -> list[dict[int, float]]:
    """For each text, the items that it shares a run with: item -> the share of the item's runs that the text has.

    An item of fewer than n words has no runs, and is never found.  Raises ArgumentError for n < 1.
    """
    runs = [runs_of(item, n) for item in items]
    where = defaultdict(list)
    for number, known in enumerate(runs):
        for run in known:
            where[run].append(number)
    found: list[dict[int, float]] = []
    for text in texts:
        shared: dict[int, int] = defaultdict(int)
        for run in runs_of(text, n):
            for number in where.get(run, ()):
                shared[number] += 1
        found.append({number: count / len(runs[number]) for number, count in shared.items()})
    return found


def contaminated(texts: Sequence[str], items: Sequence[str], n: int = RUN, at_least: float = 0.0) -> list[int]:
    """The numbers of the texts that share a run with an item, and at least this share of its runs."""
    found = overlaps(texts, items, n)
    return [i for i, shares in enumerate(found) if shares and max(shares.values()) >= at_least]
