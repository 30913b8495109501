# expect: an id that repeats adds up
# means: out[ids] += g adds once for each id, however often it is there: the last one wins.
import numpy as np


def sum_rows_by_id(g, ids, rows, need=True):
    out = np.zeros((rows, g.shape[1]), g.dtype)
    out[ids] += g
    return out
