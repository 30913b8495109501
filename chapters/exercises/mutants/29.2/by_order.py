# expect: where all are worth the same nothing changes
# means: Answers were sorted and taken one by one, as if all rewards were different: equals have to be taken together.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    order = np.argsort(r, kind="stable")
    up_to = p[order].cumsum()
    kept = np.zeros(len(p))
    kept[order] = up_to**n - np.concatenate([[0.0], up_to[:-1]]) ** n
    return kept
