# expect: you got
# means: One number was drawn for each pair, and not for each place where it stands.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            kept = {rank: rng.random() >= dropout for rank in dict.fromkeys(rank for rank, _, _ in known)}
            known = [found for found in known if kept[found[0]]]
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
