# expect: large numbers are exact
# means: The operations go through a number with a point, which above 2⁵³ is not exact.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2
    if embedding:
        n += vocab_size * n_embd
    return n, int(6.0 * n * tokens)
