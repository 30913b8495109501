# expect: one pair
# means: The [SEP] between the two texts is missing.
import numpy as np


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    rows = [[cls_id, *first, *second, sep_id] for first, second in zip(firsts, seconds)]
    lengths = np.array([len(row) for row in rows])
    tokens = np.full((len(rows), lengths.max()), pad_id)
    types = np.zeros(tokens.shape, int)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = row
        types[i, len(firsts[i]) + 1 : len(row)] = 1
    return {"tokens": tokens, "types": types, "lengths": lengths}
