# expect: as kaplan counted
# means: With embedding=False the table was left out of N, and not of C.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2
    whole = n + vocab_size * n_embd
    return (whole if embedding else n), 6 * whole * tokens
