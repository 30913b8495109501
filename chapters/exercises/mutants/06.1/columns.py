# expect: rows in the order asked for
# means: Columns were looked up instead of rows.
import numpy as np


def embedding(weight, ids):
    def vjp(g, needs):
        dweight = np.zeros_like(weight)
        np.add.at(dweight.T, ids, g)
        return dweight, None

    return weight[:, ids], vjp
