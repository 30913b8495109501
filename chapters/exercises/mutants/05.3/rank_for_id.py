# expect: one merge
# means: The rank was written where the new id belongs.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            known = [pair for pair in known if rng.random() >= dropout]
        if not known:
            return ids
        rank, _, i = min(known)
        ids[i : i + 2] = [rank]
