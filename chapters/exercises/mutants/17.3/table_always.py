# expect: as kaplan counted
# means: The table was counted although embedding=False.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + vocab_size * n_embd
    return n, 6 * n * tokens
