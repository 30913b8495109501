# expect: the first learned comes first
# means: The leftmost pair was joined first, whenever it was learned.
def apply_merges_plainly(word, ranks, dropout=0.0, rng=None):
    ids, i = list(word), 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) in ranks:
            ids[i : i + 2] = [ranks[ids[i], ids[i + 1]][1]]
            i = 0
        else:
            i += 1
    return ids
