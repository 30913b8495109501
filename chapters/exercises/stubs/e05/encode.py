"""05.3  Writing with merges, in more than one way.

`word` is a sequence of ids, at first one a byte. `ranks` says for each pair when it was learned and which id it
becomes: {(7, 8): (0, 20), (20, 9): (1, 21)} means that (7, 8) was learned first, rank 0, and becomes 20; then (20, 9)
was, rank 1, and becomes 21.

Look for the known pairs of the word, and join one of them: the one that was learned first; if it stands there more than
once, the leftmost. Then look again, until there is none. Return a list. The ids must be those that the model was
trained with, so the order matters.

With an `rng` the word is spelled by chance (Provilkov et al., 2020). At each look, go over the known pairs from the
left to the right and draw rng.random() for each place where one stands: where it is below `dropout`, this place is left
out of this look. Draw for known pairs alone. If all of them were left out, you are done: return what there is.
"""

from tinygrad_llm.course import Todo


def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    raise Todo("a list of ids")
