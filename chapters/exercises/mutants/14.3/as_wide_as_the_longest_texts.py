# expect: the longest row decides
# means: The rows have room for the longest first text beside the longest second one, which no pair may need.
import numpy as np


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    rows = [[cls_id, *first, sep_id, *second, sep_id] for first, second in zip(firsts, seconds)]
    lengths = np.array([len(row) for row in rows])
    tokens = np.full((len(rows), max(map(len, firsts)) + max(map(len, seconds)) + 3), pad_id)
    types = np.zeros(tokens.shape, int)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = row
        types[i, len(firsts[i]) + 2 : len(row)] = 1
    return {"tokens": tokens, "types": types, "lengths": lengths}
