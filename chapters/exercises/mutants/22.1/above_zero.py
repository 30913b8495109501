# expect: a is drawn by the root of the inputs
# means: A is drawn between 0 and 1/sqrt(I): the negative half is missing.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    return rng.uniform(0, 1 / np.sqrt(inputs), (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
