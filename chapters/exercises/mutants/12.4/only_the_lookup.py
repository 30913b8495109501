# expect: only the head is left
# means: Only the lookup's part of the gradient is there, and not that of the head.
import numpy as np


def tied(table, ids, middle):
    stream, middle_vjp = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = np.zeros_like(table)
        np.add.at(dtable, ids, middle_vjp(g @ table, needs))
        return dtable

    return logits, vjp
