# expect: a word that met nobody
# means: 0 was divided by 0 where a word met nobody.
import numpy as np


def positive_pmi(counts):
    by_chance = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(np.log(counts / by_chance), 0)
