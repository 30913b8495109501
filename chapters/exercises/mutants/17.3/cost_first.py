# expect: a layer has twelve squares
# means: C was returned first: N comes first, then C.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 12 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return 6 * n * tokens, n
