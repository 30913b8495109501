# expect: a layer has twelve squares
# means: C was computed for one token: there are `tokens`.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n
