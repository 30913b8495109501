# expect: b is zero and a is drawn
# means: A is zero and B is drawn, the other way round.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / np.sqrt(inputs)
    return np.zeros((r, inputs)), rng.uniform(-most, most, (outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
