# expect: with f open and i shut the cell stays
# means: The gates are in another order: f was read where i stands.
import numpy as np


def sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def lstm_step(x, h, c, w_ih, w_hh, b):
    f, i, g, o = np.split(x @ w_ih.T + h @ w_hh.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
