# expect: every patch has a place of its own
# means: Behind the picture positions begin again at 0.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    rest = len(x) - at - len(features)
    return x, np.concatenate([np.arange(at + len(features)), np.arange(rest)]), targets
