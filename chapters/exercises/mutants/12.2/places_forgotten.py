# expect: without a layer there are two tables and a norm
# means: The T · D numbers of the table of places are missing.
def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):
    V, D = vocab_size, n_embd
    norm = D + bias * D
    attention = 3 * D * D + D * D + bias * (3 * D + D)
    mlp = 4 * D * D + 4 * D * D + bias * (4 * D + D)
    return V * D + n_layer * (norm + attention + norm + mlp) + norm
