# expect: each layer has
# means: The table was counted once a layer: it comes once for the whole model.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = n_layer * (12 * n_embd**2 + embedding * vocab_size * n_embd)
    return n, 6 * n * tokens
