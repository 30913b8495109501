# expect: at first nothing is added
# means: B is drawn too: the layer computes something else from the beginning.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / np.sqrt(inputs)
    return rng.uniform(-most, most, (r, inputs)), rng.uniform(-most, most, (outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
