# expect: a layer has twelve squares
# means: Eight squares a layer were counted: attention has four, and two matrices of the MLP have four each.
def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    n = 8 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n * tokens
