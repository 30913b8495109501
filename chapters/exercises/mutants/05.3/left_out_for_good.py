# expect: another chance
# means: What was left out once stayed out: the draws were made once for each pair, and not anew at each look.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    out = set()
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            for rank, _, _ in known:
                if rank not in out and rng.random() < dropout:
                    out.add(rank)
            known = [pair for pair in known if pair[0] not in out]
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
