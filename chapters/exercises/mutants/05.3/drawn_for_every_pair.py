# expect: left to right
# means: A number was drawn for pairs that are not known, too.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = []
        for i, pair in enumerate(zip(ids, ids[1:])):
            kept = rng is None or rng.random() >= dropout
            if kept and pair in ranks:
                known.append((*ranks[pair], i))
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
