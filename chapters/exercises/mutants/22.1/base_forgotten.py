# expect: the sum by hand
# means: Only what LoRA adds is returned, without W x.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / np.sqrt(inputs)
    return rng.uniform(-most, most, (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return bias + (alpha / len(A)) * (read @ A.T @ B.T)
