# expect: news may be negative
# means: The sigmoid was used for the news too, where tanh belongs.
import numpy as np


def sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def lstm_step(x, h, c, w_ih, w_hh, b):
    i, f, g, o = np.split(sigmoid(x @ w_ih.T + h @ w_hh.T + b), 4, axis=1)
    c = f * c + i * g
    return o * np.tanh(c), c
