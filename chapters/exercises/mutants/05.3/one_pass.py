# expect: a merge makes the next possible
# means: The pairs were looked up once, at the beginning: a merge makes new pairs, which were not looked for.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids = list(word)
    known = sorted({(*ranks[pair], pair) for pair in zip(ids, ids[1:]) if pair in ranks})
    for _, new, pair in known:
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [new]
            i += 1
    return ids
