# expect: every patch has a place of its own
# means: All patches have the same position: the picture counts as one token.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    positions = np.concatenate([np.arange(at), np.full(len(features), at), np.arange(at + 1, len(tokens))])
    return x, positions, targets
