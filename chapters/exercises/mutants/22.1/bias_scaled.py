# expect: the bias is added once
# means: The bias is within the product of the adapter, or added by it a second time.
import numpy as np


def first_matrices(outputs, inputs, r, rng):
    most = 1 / np.sqrt(inputs)
    return rng.uniform(-most, most, (r, inputs)), np.zeros((outputs, r))


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    read = x if keep is None else x * keep
    return x @ weight.T + bias + (alpha / len(A)) * (read @ A.T @ B.T + bias)
