# expect: all left out
# means: Nothing was left out, as if there were no `rng`.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
