# expect: three arrays
# means: The entries are lists: np.array makes an array of each.


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    rows = [[cls_id, *a, sep_id, *b, sep_id] for a, b in zip(firsts, seconds)]
    types = [[0] * (len(a) + 2) + [1] * (len(b) + 1) for a, b in zip(firsts, seconds)]
    lengths = [len(row) for row in rows]
    longest = max(lengths)
    return {
        "tokens": [row + [pad_id] * (longest - len(row)) for row in rows],
        "types": [kinds + [0] * (longest - len(kinds)) for kinds in types],
        "lengths": lengths,
    }
