"""05.3  Writing with merges.

`word` is a sequence of ids, at first one a byte. `ranks` says for each pair when it was learned and which id it
becomes: {(0, 1): (0, 3), (3, 2): (1, 4)} means that (0, 1) was learned first and becomes 3, then (3, 2) was, and
becomes 4.

Merge until no known pair is left. Of the pairs in the word always take the one that was learned first; if it stands
there more than once, the leftmost. Return a list. The ids must be those that the model was trained with, so the order
matters.
"""

from tinygrad_llm.course import Todo


def apply_merges_plainly(word, ranks):
    raise Todo("a list of ids")
