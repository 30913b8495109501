# expect: what was looked up twice gets both
# means: Of the gradients of a word that was looked up twice only the last is left: dweight[ids] += g does no more.
import numpy as np


def embedding(weight, ids):
    def vjp(g, needs):
        dweight = np.zeros_like(weight)
        dweight[ids] = g
        return dweight, None

    return weight[ids], vjp
