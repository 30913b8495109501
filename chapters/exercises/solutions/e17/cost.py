"""17.3  What does a run cost?

A GPT of `n_layer` layers, W = `n_embd` wide, with a vocabulary of V = `vocab_size`. Which of its weights is each token
multiplied by?

    in each layer   the matrices of queries, keys, values and of attention's output, W x W each
                    two of the MLP, W x 4W and 4W x W
    at the top      the head, V x W: each token's state by all V rows. It is the table of embeddings itself

At the bottom the same table is looked up in, which costs nothing. Leave out norms, biases and positions, and the
products of queries with keys.

Training costs 6 operations a weight and token: 2 forwards, a product and a sum, and twice that backwards.

Return two whole numbers: N, how many weights, and C, the operations of training on `tokens` tokens. With
`embedding=False` leave the table out of N and of C, as Kaplan et al. did.
"""


def training_cost(vocab_size, n_layer, n_embd, tokens, *, embedding=True):
    # >>> N, C
    n = 12 * n_layer * n_embd**2
    if embedding:
        n += vocab_size * n_embd
    return n, 6 * n * tokens
    # <<<
