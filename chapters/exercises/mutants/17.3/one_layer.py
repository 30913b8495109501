# expect: each layer has
# means: One layer was counted: there are `n_layer`.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n * tokens
