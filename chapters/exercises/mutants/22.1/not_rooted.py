# expect: a is drawn by the root of the inputs
# means: A is drawn from ±1/I: the root is missing.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / inputs
    return rng.uniform(-most, most, (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
