# expect: the table counts once
# means: Here the table was not counted: as the head each token is multiplied by it, but for embedding=False.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2
    return n, 6 * n * tokens
