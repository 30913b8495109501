# expect: one merge
# means: The rank was written where the new id belongs.
def apply_merges_plainly(word, ranks):
    ids = list(word)
    while True:
        known = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
        if not known:
            return ids
        rank, _, i = min(known)
        ids[i : i + 2] = [rank]
