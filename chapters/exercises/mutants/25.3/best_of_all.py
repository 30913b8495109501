# expect: places are those of the whole array
# means: Best and worst of all answers, whatever they answer.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    best, worst = groups.argmax(), groups.argmin()
    return np.array([best]), np.array([worst])
