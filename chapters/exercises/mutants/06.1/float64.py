# expect: they are float64 instead of float32
# means: np.eye is float64 and makes the gradient so.
import numpy as np


def embedding(weight, ids):
    def vjp(g, needs):
        one_hot = np.eye(len(weight))[ids.reshape(-1)]
        return one_hot.T @ g.reshape(-1, weight.shape[1]), None

    return weight[ids], vjp
