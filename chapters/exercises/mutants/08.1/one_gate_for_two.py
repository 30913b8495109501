# expect: with both open the news is added
# means: One gate was used for both: what is kept and what is let in add up to 1.
import numpy as np


def sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def lstm_step(x, h, c, w_ih, w_hh, b):
    _, f, g, o = np.split(x @ w_ih.T + h @ w_hh.T + b, 4, axis=1)
    f = sigmoid(f)
    c = f * c + (1 - f) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
