# expect: both ways count


def tied(table, ids, middle):
    stream, _ = middle(table[ids])
    logits = stream @ table.T

    def vjp(g, needs):
        dtable = g.T @ stream
        return dtable

    return logits, vjp
