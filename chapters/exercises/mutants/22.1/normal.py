# expect: a is drawn by the root of the inputs
# means: A is drawn by `rng.normal`, with 1/sqrt(I) as deviation, and not uniformly between ±1/sqrt(I).
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    return rng.normal(0, 1 / np.sqrt(inputs), (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
