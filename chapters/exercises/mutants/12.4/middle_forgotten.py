# expect: the middle is on the way back too
# means: The gradient of the lookup did not go back through `middle`.
import numpy as np


def tied(table, ids, middle):
    stream, _ = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ stream
        np.add.at(dtable, ids, g @ table)
        return dtable

    return logits, vjp
