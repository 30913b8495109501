# expect: left to right
# means: The numbers were drawn in the order of the ranks, and not from the left to the right.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = sorted((*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks)
        if rng is not None:
            known = [pair for pair in known if rng.random() >= dropout]
        if not known:
            return ids
        _, new, i = known[0]
        ids[i : i + 2] = [new]
