# expect: without a layer there are two tables and a norm
# means: A head with V · D numbers of its own was counted: it shares the table of words.


def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):
    V, T, D = vocab_size, block_size, n_embd
    norm = D + bias * D
    attention = 3 * D * D + D * D + bias * (3 * D + D)
    mlp = 4 * D * D + 4 * D * D + bias * (4 * D + D)
    return 2 * V * D + T * D + n_layer * (norm + attention + norm + mlp) + norm
