# expect: dropout
# means: One number was drawn for the whole look, and not one for each known pair.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if known and rng is not None and rng.random() < dropout:
            known = []
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
