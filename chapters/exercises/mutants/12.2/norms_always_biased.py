# expect: the last norm has a bias too
# means: The norms have D biases although `bias` is False.


def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):
    V, T, D = vocab_size, block_size, n_embd
    norm = 2 * D
    attention = 3 * D * D + D * D + bias * (3 * D + D)
    mlp = 4 * D * D + 4 * D * D + bias * (4 * D + D)
    return V * D + T * D + n_layer * (norm + attention + norm + mlp) + norm
