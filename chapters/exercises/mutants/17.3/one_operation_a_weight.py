# expect: each layer has
# means: One operation was counted a weight: a product and a sum are two.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 3 * n * tokens
