# expect: only the head is left
# means: The head's part was made of what went into `middle`, and not of what came out.
import numpy as np


def tied(table, ids, middle):
    stream, middle_vjp = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ table[ids]
        np.add.at(dtable, ids, middle_vjp(g @ table, needs))
        return dtable

    return logits, vjp
