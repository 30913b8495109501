# expect: b is zero and a is drawn
# means: Both matrices are zero at first: then neither ever has a gradient, and nothing is learned.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    return np.zeros((r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T)
