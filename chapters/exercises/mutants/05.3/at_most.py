# expect: a draw that equals dropout
# means: A place was left out where its draw equals `dropout`, too.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if rng is not None:
            known = [found for found in known if rng.random() > dropout]
        if not known:
            return ids
        _, new, i = min(known)
        ids[i : i + 2] = [new]
