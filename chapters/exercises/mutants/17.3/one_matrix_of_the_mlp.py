# expect: a layer has twelve squares
# means: One matrix of the MLP was counted: one goes to 4W, the other comes back.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 8 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n * tokens
