# expect: inhomogeneous
# means: Rows of different lengths make no array: fill up the shorter ones first.
import numpy as np


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    rows = [[cls_id, *a, sep_id, *b, sep_id] for a, b in zip(firsts, seconds)]
    types = [[0] * (len(a) + 2) + [1] * (len(b) + 1) for a, b in zip(firsts, seconds)]
    return {"tokens": np.array(rows), "types": np.array(types), "lengths": np.array([len(row) for row in rows])}
