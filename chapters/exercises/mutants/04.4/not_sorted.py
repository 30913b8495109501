# expect: each id once
# means: The ids were sorted, but the rows of g were not put into the same order.
import numpy as np


def sum_rows_by_id(g, ids, rows, need=True):
    out = np.zeros((rows, g.shape[1]), g.dtype)
    ordered = np.sort(ids)
    present, starts = np.unique(ordered, return_index=True)
    if len(present):
        out[present] = np.add.reduceat(g, starts, axis=0)
    return out
