# expect: a word read twice gets both
# means: dtable[ids] += … adds once for each id, however often it is there: the last one wins.


def tied(table, ids, middle):
    stream, middle_vjp = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ stream
        dtable[ids] += middle_vjp(g @ table, needs)
        return dtable

    return logits, vjp
