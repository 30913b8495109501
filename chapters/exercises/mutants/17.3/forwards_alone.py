# expect: each layer has
# means: Only the way forwards was counted: backwards costs twice as much again.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 2 * n * tokens
