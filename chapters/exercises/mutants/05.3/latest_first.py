# expect: a merge makes the next possible
# means: The pair that was learned last was joined first.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(-ranks[pair][0], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            known = [pair for pair in known if rng.random() >= dropout]
        if not known:
            return ids
        _, i = min(known)
        ids[i : i + 2] = [ranks[ids[i], ids[i + 1]][1]]
