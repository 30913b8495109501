# expect: you got
# means: The pair was joined wherever it stands, also where its place had been left out.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            known = [found for found in known if rng.random() >= dropout]
        if not known:
            return ids
        _, new, i = min(known)
        pair, out = (ids[i], ids[i + 1]), []
        for token in ids:
            if out and (out[-1], token) == pair:
                out[-1] = new
            else:
                out.append(token)
        ids = out
