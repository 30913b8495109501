# expect: dropout is of what the adapter reads
# means: The mask is not used.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / np.sqrt(inputs)
    return rng.uniform(-most, most, (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    return x @ weight.T + bias + (alpha / len(A)) * (x @ A.T @ B.T)
