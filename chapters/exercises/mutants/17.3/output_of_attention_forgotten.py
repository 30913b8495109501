# expect: a layer has twelve squares
# means: Three matrices were counted for attention: there are queries, keys, values, and its output.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 11 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n * tokens
