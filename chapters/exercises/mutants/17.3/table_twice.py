# expect: the table counts once
# means: The table was counted twice, for looking up and as the head: it is one table, and looking up costs nothing.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + (2 * vocab_size * n_embd if embedding else 0)
    return n, 6 * n * tokens
