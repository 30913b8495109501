"""13.2  Clipped n-grams.

BLEU asks what share of a translation's runs of n words also stands in a reference. A run counts as often as it stands
in the translation, but at most as often as it stands in one reference, the one that has it most often.

`clipped_matches(candidate, references, n)`: the candidate is a list of words, references is a list of such lists.
Return two numbers: how many of the candidate's runs of n words are matched, and how many it has.
"""

from collections import Counter
from tinygrad_llm.course import Todo


def runs(words, n):
    """How often each run of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_matches(candidate, references, n):
    raise Todo("(matched, all)")
