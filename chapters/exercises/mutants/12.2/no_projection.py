# expect: a layer is twelve matrices
# means: The D² of the layer that brings attention's answer back are missing.


def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):
    V, T, D = vocab_size, block_size, n_embd
    norm = D + bias * D
    attention = 3 * D * D + bias * (3 * D + D)
    mlp = 4 * D * D + 4 * D * D + bias * (4 * D + D)
    return V * D + T * D + n_layer * (norm + attention + norm + mlp) + norm
