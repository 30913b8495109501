# expect: the rank decides
# means: The pair with the smallest new id was joined first, and not the one with the smallest rank.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(ranks[pair][1], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            known = [pair for pair in known if rng.random() >= dropout]
        if not known:
            return ids
        new, i = min(known)
        ids[i : i + 2] = [new]
