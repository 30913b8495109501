# expect: what was looked up twice gets both
# means: dweight[ids] += g adds once for each id, however often it is there: the last one wins.
import numpy as np


def embedding(weight, ids):
    def vjp(g, needs):
        dweight = np.zeros_like(weight)
        dweight[ids] += g
        return dweight, None

    return weight[ids], vjp
