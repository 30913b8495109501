"""12.2  How many numbers does a GPT learn?

    vocab_size V, block_size T, n_layer, n_embd D; bias: whether linear layers and norms have one

It has a table of words and one of places. A layer has two norms, attention (one linear layer that makes queries, keys
and values side by side, one that brings the answer back), and an MLP that is 4 D wide inside. After the last layer
comes a norm. What the head compares with is the table of words itself. Return the number of all weights and biases.
Where does the number of heads come in?
"""

from tinygrad_llm.course import Todo


def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):
    V, T, D = vocab_size, block_size, n_embd
    raise Todo("a whole number")
