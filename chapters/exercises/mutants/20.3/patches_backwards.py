# expect: the patches stand where the image token stood
# means: The patches stand in the wrong order.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features[::-1], table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    return x, np.arange(len(x)), targets
