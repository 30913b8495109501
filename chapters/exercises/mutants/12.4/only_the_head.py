# expect: both ways count
# means: Only the head's part of the gradient is there, and not that of the lookup.


def tied(table, ids, middle):
    stream, _ = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ stream
        return dtable

    return logits, vjp
