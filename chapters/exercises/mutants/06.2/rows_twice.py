# expect: a frequent word is not peculiar to any
# means: The sums of the rows were used for the columns too.
import numpy as np


def positive_pmi(counts):
    rows = counts.sum(1)
    by_chance = (rows[:, None] * np.resize(rows, counts.shape[1])) / max(counts.sum(), 1)
    ratio = np.divide(counts, by_chance, out=np.ones(counts.shape), where=counts > 0)
    return np.maximum(np.log(ratio), 0)
