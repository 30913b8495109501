"""08.1  One step of an LSTM.

    z = x W_ih^T + h W_hh^T + b                  x (B, I), h (B, F), W_ih (4F, I), W_hh (4F, F), b (4F,)  ->  z (B, 4F)

The columns of z are four groups of F, in this order: i, f, g, o. Three are gates, between 0 and 1 (sigmoid); g is the
news, between -1 and 1 (tanh). Then the cell c (B, F) keeps what f lets it keep and takes in what i lets in of g; and
what is shown, h, is the cell, bent by tanh, as far as o opens. `lstm_step` returns the new h and the new c.
"""

import numpy as np


def sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def lstm_step(x, h, c, w_ih, w_hh, b):
    # >>> (new h, new c)
    i, f, g, o = np.split(x @ w_ih.T + h @ w_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
    # <<<
