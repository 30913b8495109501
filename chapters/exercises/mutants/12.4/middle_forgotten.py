# expect: the middle is on the way back too
import numpy as np


def tied(table, ids, middle):
    stream, _ = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ stream
        np.add.at(dtable, ids, g @ table)
        return dtable

    return logits, vjp
